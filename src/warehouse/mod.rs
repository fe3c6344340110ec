//! Where SQL runs. A [`Warehouse`] is opened once from the target of a profile; every worker thread has a
//! [`Connection`] of its own. Nothing outside this room knows which database answers.
//!
//! ```text
//!  profiles.yml target ──credentials──▶ Credentials ──open──▶ Warehouse ──connect──▶ Connection ──execute──▶ Table
//! ```

mod cache;
mod comment;
mod credentials;
mod duckdb;
mod lazy;
mod position;
pub mod seed;
mod session;
mod table;

use std::sync::Arc;

pub use cache::RelationCache;
pub use comment::Comment;
pub use credentials::Credentials;
pub use lazy::Lazy;
pub use position::{Position, position};
pub use session::{Foreseen, Session};
pub use table::{Cell, ColumnInfo, Table};

use crate::error::Result;
use crate::interrupt::Stop;

/// A database that can be connected to from several threads at once. It is closed when it and all its
/// connections are gone.
pub trait Warehouse: Send + Sync {
    /// A new session, with the settings of the profile applied.
    fn connect(&self) -> Result<Box<dyn Connection>>;

    /// Whether threads of the database's own are to help those that send statements, as they do from the beginning.
    /// They speed up what takes long; waking them costs more than small statements take. Sending them away waits for
    /// what they are doing.
    ///
    /// # Errors
    /// If the database does not let itself be told, after its configuration was locked for example.
    fn help(&self, wanted: bool) -> Result<()>;
}

/// A session with the database: statements run one after another, on the thread that owns it.
pub trait Connection: Send {
    /// Runs all statements in `sql` and gives the result of the last one. Text without a statement
    /// (empty, or only comments) is allowed and gives an empty result.
    ///
    /// Fails with an `ErrorKind::Database` error that holds the database's message; [`position`] finds the
    /// place it points at.
    fn execute(&mut self, sql: &str, fetch: Fetch) -> Result<(Response, Table)>;

    /// Runs one statement with values for its `?` placeholders.
    fn execute_with(&mut self, sql: &str, values: &[Cell]) -> Result<Response>;

    /// Opens a transaction. Without one, every statement is its own.
    fn begin(&mut self) -> Result<()>;

    /// Makes the changes of the open transaction last.
    fn commit(&mut self) -> Result<()>;

    /// Undoes the open transaction; does nothing if there is none.
    fn rollback(&mut self) -> Result<()>;

    /// Whether [`Connection::begin`] opened a transaction that is still open.
    fn in_transaction(&self) -> bool;

    /// Something another thread can use to stop the statement that is running.
    fn interrupt_handle(&self) -> Arc<dyn Stop>;

    /// The tables and views in all attached databases, in one query. With `schemas` (pairs of database and
    /// schema, in any case) only those in them.
    fn list_relations(&mut self, schemas: Option<&[(String, String)]>) -> Result<Vec<CatalogRelation>>;

    /// The schemas of all attached databases, as pairs of database and schema.
    fn list_schemas(&mut self) -> Result<Vec<(String, String)>>;

    /// The columns of a table or view, given as it is written in SQL (`"db"."schema"."name"`); an error if it
    /// does not exist.
    fn columns(&mut self, relation: &str) -> Result<Vec<ColumnInfo>>;

    /// The columns that a query would give, without running it.
    fn columns_of_query(&mut self, query: &str) -> Result<Vec<ColumnInfo>>;
}

/// How many rows of a result are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// None; the statement still runs to its end.
    None,
    All,
    /// The first rows; a query may be left unfinished after them.
    Limit(usize),
}

/// What the database says about a statement that went well, in the form of dbt's `adapter_response`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub message: String,
    pub code: Option<String>,
    pub rows_affected: Option<u64>,
}

impl Response {
    /// What DuckDB says to everything.
    pub fn ok() -> Self {
        Response { message: "OK".to_owned(), code: None, rows_affected: None }
    }
}

/// What a relation in the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogKind {
    Table,
    View,
}

impl CatalogKind {
    /// dbt's word for it, which is also the word in `drop table` and `drop view`.
    pub fn as_str(self) -> &'static str {
        match self {
            CatalogKind::Table => "table",
            CatalogKind::View => "view",
        }
    }
}

/// A table or view that is in the database, named as the database writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogRelation {
    pub database: String,
    pub schema: String,
    pub name: String,
    pub kind: CatalogKind,
}
