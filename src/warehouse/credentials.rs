//! What a target of `profiles.yml` says about the warehouse, checked before anything is opened.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Warehouse, duckdb};
use crate::error::{Error, Result};

/// A checked target. The answers that the language above asks for are plain fields; the rest is the
/// database's business.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// dbt's name of the kind of database (`duckdb`); macros are dispatched on it.
    pub adapter_type: &'static str,
    /// The database and schema where models go unless they say otherwise.
    pub database: String,
    pub schema: String,
    /// Where files written by models go (`external_root`).
    pub external_root: String,
    /// Whether statements are to run without transactions around them.
    pub disable_transactions: bool,
    /// Whether the database, or an attached one, is in MotherDuck.
    pub is_motherduck: bool,
    /// The names of the databases that are DuckLakes.
    pub ducklake_databases: BTreeSet<String>,
    /// What `dbt debug` shows and what `target` knows besides name, type and threads, in dbt's order; no secrets.
    pub connection_info: Map<String, Value>,
    pub(super) profile: duckdb::Profile,
}

impl Credentials {
    /// Checks a target, given as the mapping in `profiles.yml` after rendering.
    ///
    /// Fails if its `type` is none that rbt can talk to, or a key has a value that makes no sense.
    pub fn from_target(target: &Map<String, Value>) -> Result<Self> {
        match target.get("type").and_then(Value::as_str) {
            Some("duckdb") => duckdb::credentials(target),
            Some(other) => {
                Err(Error::runtime(format!("the profile has the type {other}, which rbt does not know"))
                    .help("rbt works with the type duckdb"))
            }
            None => Err(Error::runtime("the profile has no type").help("add `type: duckdb` to the target")),
        }
    }

    /// A database in memory, for work that leaves nothing in one.
    ///
    /// # Errors
    /// As [`Credentials::from_target`].
    pub fn in_memory() -> Result<Self> {
        let target = [("type", "duckdb"), ("path", ":memory:")];
        Self::from_target(&target.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect())
    }

    /// Opens the database and makes ready what the target wants: extensions, secrets, attached databases.
    pub fn open(&self) -> Result<Box<dyn Warehouse>> {
        self.open_telling(&|_| {})
    }

    /// The same; while it waits for what another process holds (`retries` of the profile), it tells why.
    pub fn open_telling(&self, waiting: &dyn Fn(&Error)) -> Result<Box<dyn Warehouse>> {
        Ok(Box::new(duckdb::DuckDb::open(self.profile.clone(), waiting)?))
    }
}
