//! DuckDB's own threads. All but `external_threads` of its `threads` are its own, and help those that send statements.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connection::DuckDbConnection;
use crate::error::Result;
use crate::warehouse::{Connection, Fetch};

/// Whether DuckDB's own threads are at work.
#[derive(Default)]
pub struct Helpers {
    /// While they are not: how many external threads there were before.
    before: Mutex<Option<String>>,
}

impl Helpers {
    /// Leaves all work to the threads that send statements.
    pub fn dismiss(&self, connection: &mut DuckDbConnection) -> Result<()> {
        let mut before = self.before();
        if before.is_none() {
            let threads = setting(connection, "threads")?;
            let external = setting(connection, "external_threads")?;
            connection.run(&format!("SET external_threads = {threads}"))?;
            *before = Some(external);
        }
        Ok(())
    }

    /// Lets them help again; statements that are running, too.
    pub fn call(&self, connection: &mut DuckDbConnection) -> Result<()> {
        match self.before().take() {
            Some(external) => connection.run(&format!("SET external_threads = {external}")),
            None => Ok(()),
        }
    }

    /// Whether a statement was refused for want of them: `threads` may not be fewer than the external ones.
    pub fn are_missing(&self, refusal: &str) -> bool {
        refusal.contains("smaller than number of external threads") && self.before().is_some()
    }

    fn before(&self) -> MutexGuard<'_, Option<String>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn setting(connection: &mut DuckDbConnection, name: &str) -> Result<String> {
    let (_, table) = connection.execute(&format!("SELECT current_setting('{name}')"), Fetch::All)?;
    Ok(table.rows.iter().flatten().map(ToString::to_string).collect())
}
