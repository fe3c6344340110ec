//! A worker's session: its connection, and what all workers know of the relations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Cell, Connection, Fetch, RelationCache, Response, Table};
use crate::error::Result;
use crate::sql::Relation;

/// What the statements of one node run on. Only one thread uses a session at a time.
pub struct Session {
    connection: Mutex<Box<dyn Connection>>,
    pub cache: Arc<RelationCache>,
    /// Every statement commits by itself (`disable_transactions` of the profile).
    autocommit: bool,
}

impl Session {
    /// A session on a connection.
    pub fn new(connection: Box<dyn Connection>, cache: Arc<RelationCache>, autocommit: bool) -> Self {
        Session { connection: Mutex::new(connection), cache, autocommit }
    }

    /// The connection itself.
    pub fn connection(&self) -> MutexGuard<'_, Box<dyn Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs statements; with `begin`, in a transaction that is opened first if none is.
    pub fn execute(&self, sql: &str, begin: bool, fetch: Fetch) -> Result<(Response, Table)> {
        let mut connection = self.connection();
        if begin && !self.autocommit && !connection.in_transaction() {
            connection.begin()?;
        }
        connection.execute(sql, fetch)
    }

    /// Runs one statement with values for its placeholders, in a transaction.
    pub fn execute_with(&self, sql: &str, values: &[Cell]) -> Result<Response> {
        let mut connection = self.connection();
        if !self.autocommit && !connection.in_transaction() {
            connection.begin()?;
        }
        connection.execute_with(sql, values)
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
        self.read_schemas(&[(database.to_owned(), schema.to_owned())])
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
