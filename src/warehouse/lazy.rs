//! A database that is opened when the first statement is sent: most models compile without one, and opening a database
//! of 10,000 tables takes a second.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{CatalogRelation, Cell, ColumnInfo, Connection, Fetch, Response, Table, Warehouse};
use crate::error::Result;
use crate::interrupt::Stop;

/// A warehouse that need not be opened.
pub struct Lazy(Arc<Opener>);

struct Opener {
    open: Box<dyn Fn() -> Result<Box<dyn Warehouse>> + Send + Sync>,
    opened: OnceLock<Result<Box<dyn Warehouse>>>,
}

impl Opener {
    fn warehouse(&self) -> Result<&dyn Warehouse> {
        self.opened.get_or_init(|| (self.open)()).as_deref().map_err(Clone::clone)
    }
}

impl Lazy {
    /// A warehouse that is opened so, once, if anything is asked of it. What opening says comes as the error of each
    /// statement.
    pub fn new(open: impl Fn() -> Result<Box<dyn Warehouse>> + Send + Sync + 'static) -> Self {
        Lazy(Arc::new(Opener { open: Box::new(open), opened: OnceLock::new() }))
    }
}

impl Warehouse for Lazy {
    fn connect(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(LazyConnection { opener: self.0.clone(), connection: None, stop: Arc::default() }))
    }

    fn help(&self, wanted: bool) -> Result<()> {
        self.0.warehouse()?.help(wanted)
    }
}

struct LazyConnection {
    opener: Arc<Opener>,
    connection: Option<Box<dyn Connection>>,
    stop: Arc<LazyStop>,
}

/// Stops what runs on a connection, once there is one.
#[derive(Default)]
struct LazyStop(Mutex<Option<Arc<dyn Stop>>>);

impl Stop for LazyStop {
    fn stop(&self) {
        if let Some(stop) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            stop.stop();
        }
    }
}

impl LazyConnection {
    fn connected(&mut self) -> Result<&mut dyn Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connection = self.opener.warehouse()?.connect()?;
                *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(connection.interrupt_handle());
                connection
            }
        };
        Ok(&mut **self.connection.insert(connection))
    }
}

impl Connection for LazyConnection {
    fn execute(&mut self, sql: &str, fetch: Fetch) -> Result<(Response, Table)> {
        self.connected()?.execute(sql, fetch)
    }

    fn execute_with(&mut self, sql: &str, values: &[Cell]) -> Result<Response> {
        self.connected()?.execute_with(sql, values)
    }

    fn begin(&mut self) -> Result<()> {
        self.connected()?.begin()
    }

    fn commit(&mut self) -> Result<()> {
        self.connected()?.commit()
    }

    fn rollback(&mut self) -> Result<()> {
        self.connection.as_mut().map_or(Ok(()), |connection| connection.rollback())
    }

    fn in_transaction(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.in_transaction())
    }

    fn interrupt_handle(&self) -> Arc<dyn Stop> {
        self.stop.clone()
    }

    fn list_relations(&mut self, schemas: Option<&[(String, String)]>) -> Result<Vec<CatalogRelation>> {
        self.connected()?.list_relations(schemas)
    }

    fn list_schemas(&mut self) -> Result<Vec<(String, String)>> {
        self.connected()?.list_schemas()
    }

    fn columns(&mut self, relation: &str) -> Result<Vec<ColumnInfo>> {
        self.connected()?.columns(relation)
    }

    fn columns_of_query(&mut self, query: &str) -> Result<Vec<ColumnInfo>> {
        self.connected()?.columns_of_query(query)
    }
}
