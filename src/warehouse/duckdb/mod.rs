//! DuckDB, in the process.

mod advice;
mod attach;
mod calendar;
mod connection;
mod decode;
mod helpers;
mod library;
mod lock;
mod native;
mod profile;
mod secret;
mod split;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;
use std::time::Duration;

pub use profile::{Profile, credentials};

use super::{Connection, Warehouse};
use crate::error::{Error, Result};
use crate::interrupt;
use connection::DuckDbConnection;
use helpers::Helpers;
use native::Database;
use profile::{Extension, quoted};

/// An open database.
pub struct DuckDb {
    database: Arc<Database>,
    helpers: Arc<Helpers>,
    profile: Profile,
}

impl DuckDb {
    /// Opens the database of a profile, and installs, creates and attaches what the profile wants.
    pub fn open(profile: Profile, waiting: &dyn Fn(&Error)) -> Result<Self> {
        let database = Arc::new(open_file(&profile, waiting)?);
        let helpers = Arc::default();
        let mut connection = DuckDbConnection::new(&database, &helpers, &[], None)?;
        for extension in &profile.extensions {
            load(&mut connection, extension)?;
        }
        for secret in &profile.secrets {
            connection.run(&secret.to_sql())?;
        }
        if profile.is_motherduck() {
            connection.run("LOAD motherduck")?;
            for (name, value) in &profile.motherduck_options {
                connection.run(&format!("SET {name} = {}", quoted(value)))?;
            }
        }
        for attachment in &profile.attachments {
            connection.run(&attachment.to_sql()).map_err(|error| lock::attaching(error, attachment))?;
        }
        Ok(DuckDb { database, helpers, profile })
    }
}

impl Warehouse for DuckDb {
    fn connect(&self) -> Result<Box<dyn Connection>> {
        let retries = self.profile.retries.clone();
        let settings = &self.profile.settings;
        Ok(Box::new(DuckDbConnection::new(&self.database, &self.helpers, settings, retries)?))
    }

    fn help(&self, wanted: bool) -> Result<()> {
        let mut connection = DuckDbConnection::new(&self.database, &self.helpers, &[], None)?;
        if wanted { self.helpers.call(&mut connection) } else { self.helpers.dismiss(&mut connection) }
    }
}

/// Opens the file, again and again if the profile wants to wait for another process to let go of it.
fn open_file(profile: &Profile, waiting: &dyn Fn(&Error)) -> Result<Database> {
    let attempts = profile.retries.as_ref().map_or(1, |retries| retries.connect_attempts.max(1));
    let mut attempt = 1;
    let loaded = library::load()?;
    loop {
        match Database::open(loaded, &profile.path, &profile.options) {
            Ok(database) => return Ok(database),
            Err(refusal) => {
                let retryable = profile.retries.as_ref().is_some_and(|retries| retries.covers(&refusal));
                let error = lock::opening(&profile.path, &refusal);
                if attempt >= attempts || !retryable {
                    return Err(error);
                }
                waiting(&error);
                interrupt::sleep(Duration::from_secs(1 << (attempt - 1).min(10)))?;
                attempt += 1;
            }
        }
    }
}

/// Loads an extension; one that is neither built in nor installed yet is installed first.
fn load(connection: &mut DuckDbConnection, extension: &Extension) -> Result<()> {
    let name = &extension.name;
    let load = format!("LOAD {}", quoted(name));
    let install = match &extension.repository {
        Some(repository) => format!("INSTALL {name} FROM {repository}"),
        None if connection.run(&load).is_ok() => return Ok(()),
        None => format!("INSTALL {}", quoted(name)),
    };
    connection.run(&install).and_then(|()| connection.run(&load)).map_err(|error| {
        error.help(format!(
            "the profile's `extensions` want {name}; DuckDB fetches it once from the network, into the folder of \
             the setting extension_directory"
        ))
    })
}
