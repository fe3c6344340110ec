//! A worker's session: its connection, and what all workers know of the relations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Cell, Comment, Connection, Fetch, RelationCache, Response, Table};
use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::interrupt;
use crate::sql::{Relation, quote_literal};

/// What the statements of one node run on. Only one thread uses a session at a time. When the user asks to stop, the
/// running statement fails and none begins any more, but for commit and rollback.
pub struct Session {
    connection: Mutex<Box<dyn Connection>>,
    pub cache: Arc<RelationCache>,
    /// Every statement commits by itself (`disable_transactions` of the profile).
    autocommit: bool,
    /// Nothing may be asked (`--no-introspect`).
    closed: bool,
    comment: Mutex<Option<Comment>>,
    teller: Mutex<Option<Teller>>,
    foreseen: Mutex<Option<Foreseen>>,
}

/// A statement whose answer is known before it is sent.
pub struct Foreseen {
    /// Its text, of which the words count and not the spaces between them.
    pub statement: String,
    pub answer: Table,
}

/// Who is told of statements, and on whose account they run.
#[derive(Clone)]
struct Teller {
    events: Events,
    node: String,
}

impl Session {
    /// A session on a connection.
    pub fn new(connection: Box<dyn Connection>, cache: Arc<RelationCache>, autocommit: bool) -> Self {
        interrupt::watch(&connection.interrupt_handle());
        Session {
            connection: Mutex::new(connection),
            cache,
            autocommit,
            closed: false,
            comment: Mutex::default(),
            teller: Mutex::default(),
            foreseen: Mutex::default(),
        }
    }

    /// The same session, of which nothing may be asked.
    pub fn closed(self) -> Self {
        Session { closed: true, ..self }
    }

    /// Fails where nothing may be asked, or the user asks to stop.
    fn check(&self) -> Result<()> {
        if self.closed {
            return Err(Error::runtime(
                "connection never acquired for thread: --no-introspect lets no template ask the warehouse",
            )
            .help("leave the flag out, or keep the query behind a condition"));
        }
        interrupt::check()
    }

    /// The connection itself.
    pub fn connection(&self) -> MutexGuard<'_, Box<dyn Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on puts this comment on every statement.
    pub fn comment(&self, comment: Option<Comment>) {
        *self.comment.lock().unwrap_or_else(PoisonError::into_inner) = comment;
    }

    /// From here on tells of every statement, as one of this node.
    pub fn tell(&self, events: &Events, node: &str) {
        let teller = Teller { events: events.clone(), node: node.to_owned() };
        let before = self.teller.lock().unwrap_or_else(PoisonError::into_inner).replace(teller);
        let before = before.map_or_else(|| "master".to_owned(), |before| before.node);
        if before != node {
            events.emit(Event::ConnectionReused { before, connection: node.to_owned() });
        }
    }

    /// From here on answers this statement by itself, instead of sending it.
    pub fn foresee(&self, foreseen: Option<Foreseen>) {
        *self.foreseen.lock().unwrap_or_else(PoisonError::into_inner) = foreseen;
    }

    fn known_answer(&self, sql: &str) -> Option<Table> {
        let foreseen = self.foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = foreseen.as_ref()?;
        known.statement.split_whitespace().eq(sql.split_whitespace()).then(|| known.answer.clone())
    }

    /// Does the work of a statement, and tells of its begin and end.
    fn told<T>(
        &self,
        sql: &str,
        work: impl FnOnce() -> Result<T>,
        answer: impl Fn(&T) -> &Response,
    ) -> Result<T> {
        let teller = self.teller.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Teller { events, node: connection }) = teller else { return work() };
        events.emit(Event::Statement { connection: connection.clone(), sql: sql.to_owned() });
        let clock = Instant::now();
        let done = work()?;
        let status = answer(&done).message.clone();
        events.emit(Event::StatementDone { connection, status, elapsed: clock.elapsed().as_secs_f64() });
        Ok(done)
    }

    /// Runs statements; with `begin`, in a transaction that is opened first if none is.
    pub fn execute(&self, sql: &str, begin: bool, fetch: Fetch) -> Result<(Response, Table)> {
        self.check()?;
        if fetch == Fetch::All
            && let Some(answer) = self.known_answer(sql)
        {
            return Ok((Response::ok(), answer));
        }
        let mut connection = self.connection();
        if begin && !self.autocommit && !connection.in_transaction() {
            connection.begin()?;
        }
        let Some(comment) = self.comment.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return self.told(sql, || connection.execute(sql, fetch), |(response, _)| response);
        };
        let sql = &comment.add_to(sql);
        self.told(sql, || connection.execute(sql, fetch), |(response, _)| response)
            .map_err(|error| comment.forget_in(error))
    }

    /// Runs one statement with values for its placeholders, in a transaction.
    pub fn execute_with(&self, sql: &str, values: &[Cell]) -> Result<Response> {
        self.check()?;
        let mut connection = self.connection();
        if !self.autocommit && !connection.in_transaction() {
            connection.begin()?;
        }
        self.told(sql, || connection.execute_with(sql, values), |response| response)
    }

    /// Opens a transaction if none is open.
    pub fn begin(&self) -> Result<()> {
        let mut connection = self.connection();
        if connection.in_transaction() { Ok(()) } else { connection.begin() }
    }

    /// Commits the open transaction, if there is one.
    pub fn commit(&self) -> Result<()> {
        let mut connection = self.connection();
        if connection.in_transaction() { connection.commit() } else { Ok(()) }
    }

    /// Undoes the open transaction, if there is one.
    pub fn rollback(&self) -> Result<()> {
        self.connection().rollback()
    }

    /// The relations of a schema; read from the catalog the first time.
    pub fn relations(&self, database: &str, schema: &str) -> Result<Vec<Relation>> {
        self.know(database, schema)?;
        Ok(self.cache.list(database, schema))
    }

    /// The relation of this name, if it exists.
    pub fn relation(&self, wanted: &Relation) -> Result<Option<Relation>> {
        let (Some(database), Some(schema)) = (&wanted.database, &wanted.schema) else { return Ok(None) };
        self.know(database, schema)?;
        Ok(self.cache.get(wanted))
    }

    /// Whether a schema exists; read from the catalog the first time.
    pub fn schema_exists(&self, database: &str, schema: &str) -> Result<bool> {
        self.know(database, schema)?;
        Ok(self.cache.schema_exists(database, schema))
    }

    fn know(&self, database: &str, schema: &str) -> Result<()> {
        if self.cache.knows(database, schema) {
            return Ok(());
        }
        self.check()?;
        self.read_schemas(&[(database.to_owned(), schema.to_owned())])
    }

    /// The kinds of keys that a table had before this run: `primary_key`, `unique`, `foreign_key`. The keys of a
    /// schema are read together, once.
    pub fn key_constraints(&self, relation: &Relation) -> Result<Vec<String>> {
        let (Some(database), Some(schema)) = (&relation.database, &relation.schema) else {
            return Ok(Vec::new());
        };
        if self.cache.key_constraints(relation).is_none() {
            let sql = format!(
                "select table_name, replace(lower(constraint_type), ' ', '_') from duckdb_constraints() \
                 where constraint_type in ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') \
                 and lower(database_name) = {} and lower(schema_name) = {}",
                quote_literal(&database.to_lowercase()),
                quote_literal(&schema.to_lowercase())
            );
            let (_, table) = self.connection().execute(&sql, Fetch::All)?;
            let pair = |row: &Vec<Cell>| Some((row.first()?.to_string(), row.get(1)?.to_string()));
            self.cache.fill_keys(database, schema, table.rows.iter().filter_map(pair).collect());
        }
        Ok(self.cache.key_constraints(relation).unwrap_or_default())
    }

    /// Reads the contents of schemas into the cache: two queries, however many schemas there are.
    pub fn read_schemas(&self, schemas: &[(String, String)]) -> Result<()> {
        let mut connection = self.connection();
        let found = connection.list_relations(Some(schemas))?;
        let existing = connection.list_schemas()?;
        self.cache.fill(schemas, &existing, found);
        Ok(())
    }
}
