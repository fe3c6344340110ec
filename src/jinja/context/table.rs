//! Query results as templates see them: the part of agate's tables that projects use
//! (<https://agate.readthedocs.io/en/latest/api/table.html>).

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};
use serde_json::Value as Json;

use super::args::Args;
use super::builtins::internal;
use super::value as values;
use crate::error::Error as RbtError;
use crate::jinja::values::{is_undefined, json_dumps};
use crate::jinja::{date_value, datetime_value, naive_datetime_value, python_str, raise};
use crate::warehouse::seed::Seed;
use crate::warehouse::{Cell, ColumnInfo, Table};

/// A table in a template.
#[derive(Debug, Clone)]
pub struct TableObject(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    columns: Vec<ColumnInfo>,
    row_count: usize,
    /// Where the rows are until somebody asks for them.
    seed: Option<Seed>,
    content: OnceLock<Content>,
}

#[derive(Debug)]
struct Content {
    table: Table,
    /// The cells as Python's values, as dbt gives them.
    values: Vec<Vec<Value>>,
}

impl TableObject {
    /// Wraps a result.
    pub fn new(table: Table) -> Self {
        let values = table.rows.iter().map(|row| row.iter().map(cell_value).collect()).collect();
        TableObject::of(Content { table, values })
    }

    /// The rows of a seed, which are read when a template looks at one of them.
    pub fn of_seed(seed: Seed) -> Self {
        TableObject(Arc::new(Inner {
            columns: seed.column_infos(),
            row_count: seed.row_count,
            seed: Some(seed),
            content: OnceLock::new(),
        }))
    }

    fn of(content: Content) -> Self {
        TableObject(Arc::new(Inner {
            columns: content.table.columns.clone(),
            row_count: content.values.len(),
            seed: None,
            content: content.into(),
        }))
    }

    /// Names and types of the columns.
    pub fn columns(&self) -> &[ColumnInfo] {
        &self.0.columns
    }

    /// The table as the database gave it.
    pub fn table(&self) -> &Table {
        &self.content().table
    }

    fn values(&self) -> &[Vec<Value>] {
        &self.content().values
    }

    fn row_count(&self) -> usize {
        self.0.row_count
    }

    fn content(&self) -> &Content {
        self.0.content.get_or_init(|| {
            let read = self.0.seed.as_ref().map_or_else(|| Ok(Table::default()), Seed::table);
            let (values, rows) = match &read {
                Ok(table) => {
                    (table.rows.iter().map(|row| row.iter().map(cell_value).collect()).collect(), Vec::new())
                }
                // Somebody took the file away since it was looked at: every use of a value is this error.
                Err(error) => {
                    let row = || self.columns().iter().map(|_| Value::from(raise(error.clone()))).collect();
                    let nulls = vec![vec![Cell::Null; self.columns().len()]; self.row_count()];
                    ((0..self.row_count()).map(|_| row()).collect(), nulls)
                }
            };
            let table = read.unwrap_or_else(|_| Table { columns: self.0.columns.clone(), rows });
            Content { table, values }
        })
    }

    /// The table behind a value, if it is one.
    pub fn from_value(value: &Value) -> Option<&TableObject> {
        value.downcast_object_ref::<TableObject>()
    }

    /// All rows as tuples: what `load_result(…).data` holds.
    pub fn matrix(&self) -> Value {
        values::list(self.values().iter().map(|row| values::tuple(row.clone())))
    }

    fn names(&self) -> Vec<Value> {
        self.columns().iter().map(|column| Value::from(column.name.as_str())).collect()
    }

    fn column_index(&self, key: &Value) -> Option<usize> {
        index(key, self.columns().len()).or_else(|| {
            let name = key.as_str()?;
            self.columns().iter().position(|column| column.name == name)
        })
    }

    fn row(&self, index: usize) -> Value {
        Value::from_object(Row { table: self.clone(), index })
    }

    /// The same columns with a choice of the rows.
    fn with_rows(&self, rows: impl Iterator<Item = usize>) -> TableObject {
        let chosen: Vec<usize> = rows.collect();
        let table = Table {
            columns: self.columns().to_vec(),
            rows: chosen.iter().map(|&row| self.table().rows[row].clone()).collect(),
        };
        let values = chosen.iter().map(|&row| self.values()[row].clone()).collect();
        TableObject::of(Content { table, values })
    }

    /// The same rows with a choice of the columns.
    fn with_columns(&self, columns: &[usize]) -> TableObject {
        let pick = |row: &Vec<Cell>| columns.iter().map(|&column| row[column].clone()).collect();
        let table = Table {
            columns: columns.iter().map(|&column| self.columns()[column].clone()).collect(),
            rows: self.table().rows.iter().map(pick).collect(),
        };
        let values =
            self.values().iter().map(|row| columns.iter().map(|&c| row[c].clone()).collect()).collect();
        TableObject::of(Content { table, values })
    }
}

/// An index as Python takes it, counting from the end when negative.
fn index(key: &Value, len: usize) -> Option<usize> {
    let index = i64::try_from(key.clone()).ok().filter(|_| key.is_number())?;
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}

/// A cell as the value that dbt shows for it. Lists and structs are JSON texts, as in dbt's tables.
fn cell_value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::from(()),
        Cell::Bool(value) => Value::from(*value),
        Cell::Int(value) => i64::try_from(*value).map_or_else(|_| Value::from(*value), Value::from),
        Cell::UInt(value) => Value::from(*value),
        Cell::Float(value) => Value::from(*value),
        Cell::Decimal(text) => values::decimal(text),
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Date(date) => date_value(*date),
        Cell::Timestamp(moment) => naive_datetime_value(*moment),
        Cell::TimestampTz(moment) => datetime_value(moment.with_timezone(&chrono::Utc)),
        Cell::List(_) | Cell::Tuple(_) | Cell::Struct(_) | Cell::Map(_) => {
            Value::from(json_dumps(&cell_json(cell), false, None))
        }
        other => Value::from(other.to_string()),
    }
}

/// What a cell is inside of a list or struct.
fn cell_json(cell: &Cell) -> Json {
    let list = |cells: &[Cell]| Json::Array(cells.iter().map(cell_json).collect());
    match cell {
        Cell::Null => Json::Null,
        Cell::Bool(value) => Json::Bool(*value),
        Cell::Int(value) => i64::try_from(*value).map_or_else(|_| Json::from(value.to_string()), Json::from),
        Cell::Float(value) => Json::from(*value),
        Cell::Decimal(text) => text.parse::<f64>().map_or_else(|_| Json::from(text.as_str()), Json::from),
        Cell::List(cells) | Cell::Tuple(cells) => list(cells),
        Cell::Struct(fields) => fields.iter().map(|(name, cell)| (name.clone(), cell_json(cell))).collect(),
        Cell::Map(entries) => entries.iter().map(|(key, cell)| (key.to_string(), cell_json(cell))).collect(),
        other => Json::String(other.to_string()),
    }
}

impl Object for TableObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    /// Iterating a table gives its rows.
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values((0..self.row_count()).map(|row| self.row(row)).collect())
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "columns" => Some(Value::from_object(Columns { table: (**self).clone() })),
            "rows" => Some(Value::from_object(Rows { table: (**self).clone() })),
            "column_names" => Some(values::tuple(self.names())),
            "column_types" => {
                let types = self.columns().iter().map(|column| Value::from(column.data_type.as_str()));
                Some(values::tuple(types.collect()))
            }
            _ => None,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.row_count())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Args::new(method, args)?;
        let table = match method {
            "print_table" | "print_csv" | "print_json" => return Ok(Value::from(())),
            "to_string" => return Ok(Value::from(text_table(self.table()))),
            "rename" => self.rename(&args)?,
            "select" | "exclude" => {
                let names = names_of(&args.required(0, "key")?)?;
                let keep = |column: &ColumnInfo| names.contains(&column.name) == (method == "select");
                let columns: Vec<usize> =
                    self.columns().iter().enumerate().filter(|(_, c)| keep(c)).map(|(i, _)| i).collect();
                self.with_columns(&columns)
            }
            "limit" => {
                let first = args.get(0, "start_or_stop").and_then(|value| usize::try_from(value).ok());
                let second = args.get(1, "stop").and_then(|value| usize::try_from(value).ok());
                let (start, stop) = match (first, second) {
                    (Some(start), Some(stop)) => (start, stop),
                    (stop, _) => (0, stop.unwrap_or(self.row_count())),
                };
                self.with_rows(
                    start.min(self.row_count())..stop.min(self.row_count()).max(start.min(self.row_count())),
                )
            }
            "order_by" => self.order_by(&args)?,
            "distinct" => self.distinct(&args)?,
            _ => {
                return Err(Error::new(
                    ErrorKind::UnknownMethod,
                    format!("a table has no method '{method}'"),
                ));
            }
        };
        Ok(Value::from_object(table))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text_table(self.table()))
    }
}

fn names_of(value: &Value) -> Result<Vec<String>, Error> {
    match value.as_str() {
        Some(name) => Ok(vec![name.to_owned()]),
        None => Ok(value.try_iter()?.map(|name| name.to_string()).collect()),
    }
}

impl TableObject {
    fn rename(&self, args: &Args) -> Result<TableObject, Error> {
        let names = args.required(0, "column_names")?;
        let mut table = self.table().clone();
        for (position, column) in table.columns.iter_mut().enumerate() {
            let by_name =
                names.get_item(&Value::from(column.name.as_str())).ok().filter(|v| !is_undefined(v));
            let by_place = || names.get_item(&Value::from(position)).ok().filter(|v| !is_undefined(v));
            if let Some(name) = by_name.or_else(by_place) {
                column.name = name.to_string();
            }
        }
        Ok(TableObject::of(Content { table, values: self.values().to_vec() }))
    }

    fn order_by(&self, args: &Args) -> Result<TableObject, Error> {
        let keys = names_of(&args.required(0, "key")?)?;
        let columns: Vec<usize> =
            keys.iter().filter_map(|key| self.column_index(&Value::from(key.as_str()))).collect();
        let reverse = args.optional_bool(1, "reverse").unwrap_or(false);
        let mut rows: Vec<usize> = (0..self.row_count()).collect();
        rows.sort_by(|&a, &b| {
            let ordering = columns.iter().map(|&c| self.values()[a][c].cmp(&self.values()[b][c]));
            let ordering = ordering.fold(Ordering::Equal, Ordering::then);
            if reverse { ordering.reverse() } else { ordering }
        });
        Ok(self.with_rows(rows.into_iter()))
    }

    fn distinct(&self, args: &Args) -> Result<TableObject, Error> {
        let keys = match args.get(0, "key") {
            Some(key) if !key.is_none() => names_of(&key)?,
            _ => self.columns().iter().map(|column| column.name.clone()).collect(),
        };
        let columns: Vec<usize> =
            keys.iter().filter_map(|key| self.column_index(&Value::from(key.as_str()))).collect();
        let mut seen = std::collections::HashSet::new();
        let is_new = |row: &usize| {
            seen.insert(columns.iter().map(|&c| self.values()[*row][c].clone()).collect::<Vec<_>>())
        };
        let rows: Vec<usize> = (0..self.row_count()).filter(is_new).collect();
        Ok(self.with_rows(rows.into_iter()))
    }
}

/// `table.columns`: by position or name.
#[derive(Debug)]
struct Columns {
    table: TableObject,
}

impl Object for Columns {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = self.table.column_index(key)?;
        Some(Value::from_object(Column { table: self.table.clone(), index }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.table.columns().len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let columns = || (0..self.table.columns().len()).filter_map(|i| self.get_value(&Value::from(i)));
        mapped_sequence(
            method,
            args,
            || self.table.names(),
            || columns().collect(),
            |key| self.get_value(key),
        )
    }
}

/// What agate's mapped sequences offer: `keys()`, `values()`, `items()`, `dict()`, `get()`.
fn mapped_sequence(
    method: &str,
    args: &[Value],
    keys: impl Fn() -> Vec<Value>,
    items: impl Fn() -> Vec<Value>,
    get: impl Fn(&Value) -> Option<Value>,
) -> Result<Value, Error> {
    match method {
        "keys" => Ok(values::tuple(keys())),
        "values" => Ok(values::tuple(items())),
        "items" => {
            let pairs = keys().into_iter().zip(items()).map(|(key, item)| values::tuple(vec![key, item]));
            Ok(values::tuple(pairs.collect()))
        }
        "dict" => Ok(values::dict(keys().into_iter().zip(items()))),
        "get" => {
            let args = Args::new(method, args)?;
            Ok(get(&args.required(0, "key")?).or_else(|| args.get(1, "default")).unwrap_or(Value::from(())))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// One column: its name and its values.
#[derive(Debug)]
struct Column {
    table: TableObject,
    index: usize,
}

impl Column {
    fn all(&self) -> Vec<Value> {
        self.table.values().iter().map(|row| row[self.index].clone()).collect()
    }
}

impl Object for Column {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let info = &self.table.columns()[self.index];
        match key.as_str() {
            Some("name") => Some(Value::from(info.name.as_str())),
            Some("data_type") => Some(Value::from(info.data_type.as_str())),
            Some(_) => None,
            None => {
                let row = index(key, self.table.row_count())?;
                Some(self.table.values()[row][self.index].clone())
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.table.row_count())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let without_nulls = || self.all().into_iter().filter(|value| !value.is_none()).collect::<Vec<_>>();
        match method {
            "values_distinct" => {
                let mut seen = std::collections::HashSet::new();
                let distinct = self.all().into_iter().filter(|value| seen.insert(value.clone())).collect();
                Ok(values::tuple(distinct))
            }
            "values_without_nulls" => Ok(values::tuple(without_nulls())),
            "values_sorted" => {
                let mut sorted = self.all();
                sorted.sort();
                Ok(values::list(sorted))
            }
            _ => {
                let keys = || (0..self.table.row_count()).map(Value::from).collect();
                mapped_sequence(method, args, keys, || self.all(), |key| self.get_value(key))
            }
        }
    }
}

/// `table.rows`: by position.
#[derive(Debug)]
struct Rows {
    table: TableObject,
}

impl Object for Rows {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.table.row(index(key, self.table.row_count())?))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.table.row_count())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let count = self.table.row_count();
        let rows = || (0..count).map(|row| self.table.row(row)).collect();
        mapped_sequence(
            method,
            args,
            || (0..count).map(Value::from).collect(),
            rows,
            |key| self.get_value(key),
        )
    }
}

/// One row: by position, by name, or as an attribute.
#[derive(Debug)]
struct Row {
    table: TableObject,
    index: usize,
}

impl Object for Row {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.table.values()[self.index][self.table.column_index(key)?].clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.table.columns().len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let cells = || self.table.values()[self.index].clone();
        mapped_sequence(method, args, || self.table.names(), cells, |key| self.get_value(key))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = &self.table.values()[self.index];
        // A list prints between brackets.
        let shown = crate::jinja::python_repr(&values::list(cells.iter().take(5).cloned()));
        let more = if cells.len() > 5 { ", ..." } else { "" };
        write!(f, "<agate.Row: ({}{more})>", &shown[1..shown.len() - 1])
    }
}

/// A table as lines of aligned text between bars, as `print_table` prints it.
pub fn text_table(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| if *cell == Cell::Null { String::new() } else { cell.to_string() })
                .collect()
        })
        .collect();
    aligned(&names, &rows)
}

/// Aligns texts in columns between bars; numbers to the right.
pub fn aligned(names: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([names[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let numeric = |column: usize| {
        rows.iter().all(|row| row[column].is_empty() || row[column].parse::<f64>().is_ok())
            && rows.iter().any(|row| !row[column].is_empty())
    };
    let right: Vec<bool> = (0..names.len()).map(numeric).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().enumerate().map(|(column, cell)| {
            let fill = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            if right[column] { format!(" {fill}{cell} ") } else { format!(" {cell}{fill} ") }
        });
        format!("|{}|", padded.collect::<Vec<_>>().join("|"))
    };
    let rule: Vec<String> = widths.iter().map(|width| format!(" {} ", "-".repeat(*width))).collect();
    let mut text = format!("{}\n|{}|", line(names), rule.join("|"));
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    text
}

/// The error of a model whose columns are not those its contract promises, with a table of the differences.
pub fn contract_mismatch(yaml_columns: &Value, sql_columns: &Value) -> RbtError {
    let columns = |value: &Value| -> Vec<(String, String)> {
        let items = value.try_iter().into_iter().flatten();
        items
            .map(|column| {
                let part = |name: &str| column.get_attr(name).map(|v| python_str(&v)).unwrap_or_default();
                (part("name"), part("formatted"))
            })
            .collect()
    };
    let (wanted, found) = (columns(yaml_columns), columns(sql_columns));
    if wanted.is_empty() {
        return RbtError::compilation(
            "This model has an enforced contract, and its 'columns' specification is missing",
        )
        .help("list the model's columns with name and data_type in its YAML");
    }
    let find = |list: &[(String, String)], name: &str| {
        list.iter().find(|(known, _)| known == name).map(|(_, formatted)| formatted.clone())
    };
    // What is formatted begins with the name in small letters.
    let data_type = |name: &str, formatted: String| {
        formatted.strip_prefix(&name.to_lowercase()).unwrap_or(&formatted).trim().to_owned()
    };
    let mut rows = Vec::new();
    for (name, formatted) in &found {
        let actual = data_type(name, formatted.clone());
        match find(&wanted, name) {
            None => rows.push(vec![name.clone(), actual, String::new(), "missing in contract".to_owned()]),
            Some(promised) if !promised.eq_ignore_ascii_case(formatted) => {
                rows.push(vec![
                    name.clone(),
                    actual,
                    data_type(name, promised),
                    "data type mismatch".to_owned(),
                ]);
            }
            Some(_) => {}
        }
    }
    for (name, formatted) in &wanted {
        if find(&found, name).is_none() {
            let promised = data_type(name, formatted.clone());
            rows.push(vec![name.clone(), String::new(), promised, "missing in definition".to_owned()]);
        }
    }
    rows.sort();
    let names = ["column_name", "definition_type", "contract_type", "mismatch_reason"].map(str::to_owned);
    RbtError::compilation(format!(
        "This model has an enforced contract that failed.\n\
         Please ensure the name, data_type, and number of columns in your contract match the columns in your \
         model's definition.\n\n{}",
        aligned(&names, &rows)
    ))
}

/// The table a template passed, or an error that says so.
pub fn expect_table(value: &Value) -> Result<&TableObject, Error> {
    TableObject::from_value(value)
        .ok_or_else(|| internal(format!("expected a table of query results, not {}", value.kind())))
}

/// A table for a template's eyes.
pub fn table_value(table: Table) -> Value {
    Value::from_object(TableObject::new(table))
}
