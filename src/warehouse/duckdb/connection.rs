//! A session with DuckDB.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use libduckdb_sys as ffi;

use super::advice;
use super::decode::{Decoder, append_rows};
use super::helpers::Helpers;
use super::native::{Database, LogicalType, Prepared, Refusal, Session, Statements};
use super::profile::{Retries, quoted};
use super::split;
use super::types::type_name;
use crate::error::{Error, Result};
use crate::interrupt::{self, Stop};
use crate::warehouse::{CatalogKind, CatalogRelation, Cell, ColumnInfo, Connection, Fetch, Response, Table};

/// A connection to an open database.
pub struct DuckDbConnection {
    session: Session,
    helpers: Arc<Helpers>,
    in_transaction: bool,
    /// Whether SQL of the user may have opened a transaction.
    touched: std::cell::Cell<bool>,
    retries: Option<Retries>,
}

impl DuckDbConnection {
    /// Connects; `settings` (names and values) are set for this session.
    pub fn new(
        database: &Arc<Database>,
        helpers: &Arc<Helpers>,
        settings: &[(String, String)],
        retries: Option<Retries>,
    ) -> Result<Self> {
        let session = Session::connect(database).map_err(Error::database)?;
        let mut connection = DuckDbConnection {
            session,
            helpers: helpers.clone(),
            in_transaction: false,
            touched: std::cell::Cell::new(false),
            retries,
        };
        for (name, value) in settings {
            let sql = format!("SET {name} = {}", quoted(value));
            connection.run(&sql).map_err(|error| {
                error.help(format!(
                    "the profile's `settings` want {name} = {value}; check the name and the value"
                ))
            })?;
        }
        Ok(connection)
    }

    /// Runs statements whose result does not matter.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.execute(sql, Fetch::None).map(|_| ())
    }

    fn query(&mut self, sql: &str) -> Result<Table> {
        self.execute(sql, Fetch::All).map(|(_, table)| table)
    }

    fn execute_once(&self, sql: &str, fetch: Fetch) -> Result<Table, Refusal> {
        let statements = self.session.statements(sql)?;
        match statements.count() {
            0 => Ok(Table::default()),
            1 => self.execute_statement(&statements.prepare(0)?, sql, fetch),
            count => self.execute_several(&statements, count, sql, fetch),
        }
    }

    /// Runs the statements of a text one after another, and gives the result of the last.
    fn execute_several(
        &self,
        statements: &Statements,
        count: u64,
        sql: &str,
        fetch: Fetch,
    ) -> Result<Table, Refusal> {
        let pieces = split::statements(sql);
        let mut table = Table::default();
        for index in 0..count {
            let wanted = if index + 1 == count { fetch } else { Fetch::None };
            table = match pieces.get(index as usize) {
                Some(piece) if pieces.len() as u64 == count => {
                    self.execute_once(&split::alone(sql, piece.clone()), wanted)?
                }
                // DuckDB makes several statements out of some, which have no text of their own.
                _ => self.fetch(&statements.prepare(index)?, wanted)?,
            };
        }
        Ok(table)
    }

    /// Runs a statement that was prepared from a text of its own.
    fn execute_statement(&self, prepared: &Prepared, sql: &str, fetch: Fetch) -> Result<Table, Refusal> {
        let types = prepared.column_types();
        if fetch == Fetch::None || !prepared.is_query() || !types.iter().any(LogicalType::is_variant) {
            return self.fetch(prepared, fetch);
        }
        // Only DuckDB can read what is in a VARIANT, so it is asked for text.
        let statement = split::statements(sql).pop().map_or(sql, |piece| &sql[piece]);
        let columns: Vec<String> = types
            .iter()
            .enumerate()
            .map(|(index, kind)| {
                let cast = if kind.is_variant() { "::VARCHAR" } else { "" };
                format!("c{index}{cast}")
            })
            .collect();
        let names: Vec<String> = (0..types.len()).map(|index| format!("c{index}")).collect();
        let text = format!("SELECT {} FROM (\n{statement}\n) AS _({})", columns.join(", "), names.join(", "));
        let mut table = self.fetch(&self.session.statements(&text)?.prepare(0)?, fetch)?;
        for (index, (column, kind)) in table.columns.iter_mut().zip(&types).enumerate() {
            *column = ColumnInfo { name: prepared.column_name(index), data_type: type_name(kind) };
        }
        Ok(table)
    }

    /// Runs a statement to its end, or, if it only reads, until there are enough rows.
    fn fetch(&self, prepared: &Prepared, fetch: Fetch) -> Result<Table, Refusal> {
        let limit = match fetch {
            Fetch::None => 0,
            Fetch::Limit(limit) => limit,
            Fetch::All => usize::MAX,
        };
        // Asked before the statement runs: a session has one result at a time.
        let zone = if limit > 0 { self.zone_for(&prepared.column_types()) } else { Tz::UTC };
        // Rows that nobody wants are computed and dropped piece by piece, not collected.
        if prepared.controls_transaction() {
            self.touched.set(true);
        }
        let streaming = prepared.is_query() && fetch != Fetch::All;
        let mut result = prepared.run(streaming)?;
        let columns = result.columns();
        let mut rows = Vec::new();
        if limit > 0 {
            let decoders: Vec<Decoder> = columns.iter().map(|(_, kind)| Decoder::new(kind, zone)).collect();
            while rows.len() < limit
                && let Some(chunk) = result.next_chunk()?
            {
                append_rows(&chunk, &decoders, limit - rows.len(), &mut rows);
            }
        } else {
            while fetch == Fetch::None && result.next_chunk()?.is_some() {}
        }
        let column = |(name, kind): (String, LogicalType)| ColumnInfo { name, data_type: type_name(&kind) };
        Ok(Table { columns: columns.into_iter().map(column).collect(), rows })
    }

    /// The session's time zone, if any of the types is shown in it.
    fn zone_for(&self, types: &[LogicalType]) -> Tz {
        if !types.iter().any(|kind| kind.contains(ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ)) {
            return Tz::UTC;
        }
        let answer = self.execute_once("SELECT current_setting('TimeZone')", Fetch::All);
        let name = answer.ok().and_then(|table| table.rows.into_iter().flatten().next());
        match name {
            Some(Cell::Text(name)) => name.parse().unwrap_or(Tz::UTC),
            _ => Tz::UTC,
        }
    }

    fn execute_values(&self, sql: &str, values: &[Cell]) -> Result<(), Refusal> {
        let statements = self.session.statements(sql)?;
        if statements.count() != 1 {
            return Err(format!("values go with one statement, this text has {}", statements.count()));
        }
        let prepared = statements.prepare(0)?;
        if prepared.parameters() != values.len() as u64 {
            let (wanted, given) = (prepared.parameters(), values.len());
            return Err(format!("the statement has {wanted} placeholders, but {given} values are given"));
        }
        for (index, value) in (1..).zip(values) {
            match value {
                Cell::Null => prepared.bind_null(index)?,
                value => prepared.bind_text(index, &value.to_string())?,
            }
        }
        self.fetch(&prepared, Fetch::None).map(|_| ())
    }

    /// Repeats what failed for a reason that the profile says may go away.
    fn retrying<T>(&self, attempt: impl Fn(&Self) -> Result<T, Refusal>) -> Result<T> {
        let attempts = self.retries.as_ref().and_then(|retries| retries.query_attempts).unwrap_or(1);
        let attempt = || self.session.stoppable(|| attempt(self));
        for tried in 1..attempts {
            match attempt() {
                Err(refusal) if self.retries.as_ref().is_some_and(|retries| retries.covers(&refusal)) => {
                    interrupt::sleep(Duration::from_secs(1 << (tried - 1).min(10)))?;
                }
                outcome => return outcome.map_err(refused),
            }
        }
        attempt().map_err(refused)
    }

    /// Runs a statement that opens or closes a transaction, which nothing stops.
    fn control(&self, sql: &str) -> Result<()> {
        self.execute_once(sql, Fetch::None).map(|_| ()).map_err(refused)
    }
}

impl Connection for DuckDbConnection {
    fn execute(&mut self, sql: &str, fetch: Fetch) -> Result<(Response, Table)> {
        let run = |connection: &Self| connection.retrying(|connection| connection.execute_once(sql, fetch));
        let table = match run(self) {
            Err(error) if self.helpers.are_missing(error.message()) => {
                self.helpers.clone().call(self)?;
                run(self)?
            }
            outcome => outcome?,
        };
        Ok((Response::ok(), table))
    }

    fn execute_with(&mut self, sql: &str, values: &[Cell]) -> Result<Response> {
        self.retrying(|connection| connection.execute_values(sql, values))?;
        Ok(Response::ok())
    }

    fn begin(&mut self) -> Result<()> {
        self.control("BEGIN")?;
        self.in_transaction = true;
        self.touched.set(false);
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.control("COMMIT")?;
        self.in_transaction = false;
        self.touched.set(false);
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        if !self.in_transaction && !self.touched.get() {
            return Ok(());
        }
        // SQL of the user may have ended the transaction, and DuckDB ends it itself when a commit fails.
        match self.control("ROLLBACK") {
            Err(error) if !error.message().contains("no transaction is active") => return Err(error),
            _ => {}
        }
        self.in_transaction = false;
        self.touched.set(false);
        Ok(())
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn interrupt_handle(&self) -> Arc<dyn Stop> {
        self.session.interrupter()
    }

    fn list_relations(&mut self, schemas: Option<&[(String, String)]>) -> Result<Vec<CatalogRelation>> {
        let filter = match schemas {
            None => "true".to_owned(),
            Some([]) => return Ok(Vec::new()),
            Some(schemas) => {
                let pairs: Vec<String> = schemas
                    .iter()
                    .map(|(database, schema)| {
                        format!("({}, {})", quoted(&database.to_lowercase()), quoted(&schema.to_lowercase()))
                    })
                    .collect();
                format!("(lower(database_name), lower(schema_name)) IN ({})", pairs.join(", "))
            }
        };
        let table = self.query(&format!(
            "SELECT database_name, schema_name, table_name, 'table' FROM duckdb_tables() \
             WHERE NOT internal AND {filter} \
             UNION ALL \
             SELECT database_name, schema_name, view_name, 'view' FROM duckdb_views() \
             WHERE NOT internal AND {filter}"
        ))?;
        let relation = |row: &Vec<Cell>| CatalogRelation {
            database: text(row, 0),
            schema: text(row, 1),
            name: text(row, 2),
            kind: if text(row, 3) == "view" { CatalogKind::View } else { CatalogKind::Table },
        };
        Ok(table.rows.iter().map(relation).collect())
    }

    fn list_schemas(&mut self) -> Result<Vec<(String, String)>> {
        let table = self.query("SELECT database_name, schema_name FROM duckdb_schemas()")?;
        Ok(table.rows.iter().map(|row| (text(row, 0), text(row, 1))).collect())
    }

    fn columns(&mut self, relation: &str) -> Result<Vec<ColumnInfo>> {
        self.described(&format!("DESCRIBE {relation}"))
    }

    fn columns_of_query(&mut self, query: &str) -> Result<Vec<ColumnInfo>> {
        // The line break ends a comment at the end of the query.
        self.described(&format!("DESCRIBE (\n{query}\n)"))
    }
}

impl DuckDbConnection {
    fn described(&mut self, sql: &str) -> Result<Vec<ColumnInfo>> {
        let table = self.query(sql)?;
        Ok(table.rows.iter().map(|row| ColumnInfo { name: text(row, 0), data_type: text(row, 1) }).collect())
    }
}

/// What DuckDB refuses, as an error; it says so itself if the statement was stopped.
fn refused(refusal: Refusal) -> Error {
    if refusal.starts_with("INTERRUPT Error") {
        return interrupt::cut_off();
    }
    let error = Error::database(refusal.as_str());
    advice::add(error, &refusal)
}

/// The text in a row of a query on the catalog; empty if there is none.
fn text(row: &[Cell], index: usize) -> String {
    match row.get(index) {
        Some(Cell::Text(text)) => text.clone(),
        _ => String::new(),
    }
}
