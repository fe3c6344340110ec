//! The room of source extractors: what fills the raw layer that a project's sources read.
//!
//! ```text
//! config: {extractor: {type: …}} ──plan──▶ Extraction ──Extractor::extract──▶ raw files, counts, warnings
//!       (of sources)                     (one a source)        │
//!                                                   http (token, limits, retries)
//! ```
//!
//! An [`Extractor`] takes plain data and leaves raw files; it knows no graph and prints nothing. To add one: a file with
//! the type, and a line in [`plan`]'s table. [`spotify`] is the first, [`rest`] a small one. [`sandbox`] is an invented
//! world behind an HTTP server that answers where the Web API would, so that extraction and build can be tried, shown and
//! tested without an account.

mod http;
mod journal;
mod plan;
pub mod raw_files;
mod rest;
pub mod sandbox;
pub mod spotify;
mod work;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use indexmap::IndexMap;

use crate::error::Result;
use crate::events::Progress;

pub use plan::{Extraction, Surroundings, has_extractor, plan, refuse_secrets};

/// Something that fetches the tables of a source. Made from configuration alone; nothing happens before
/// [`Extractor::extract`].
pub trait Extractor: Send + Sync {
    /// Whether it fills the table of this name.
    fn fills(&self, table: &str) -> bool;

    /// The tables that it can fill, in words, for those who ask for another one.
    fn tables(&self) -> String;

    /// What the environment lacks, and what to do about it; `None` if nothing is missing.
    fn lacks(&self) -> Option<String>;

    /// Fetches a day and writes its raw files: all of them, or none that was not complete.
    ///
    /// # Errors
    /// What could not be fetched or written, without secrets. What was fetched is kept for the next time.
    fn extract(&self, request: &Request) -> Result<Extracted>;
}

/// What is wanted of an extractor.
pub struct Request<'a> {
    pub day: NaiveDate,
    /// Whether to forget what is kept of an extraction that failed before.
    pub anew: bool,
    /// The names of the tables to write.
    pub tables: &'a [String],
    /// Hears how far it is.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// A database, to write parquet.
    pub sql: raw_files::RunSql<'a>,
}

/// What an extraction has done.
#[derive(Debug, Clone, Default)]
pub struct Extracted {
    /// The tables that were written, by name.
    pub tables: IndexMap<String, Written>,
    /// How many requests it took.
    pub requests: usize,
    /// How many answers were there from an extraction that failed before.
    pub resumed: usize,
    /// What users should know, a sentence each.
    pub warnings: Vec<String>,
}

/// A raw file that was written.
#[derive(Debug, Clone)]
pub struct Written {
    pub path: PathBuf,
    pub rows: usize,
}

/// A path as configuration writes it: a relative one counts from the project's folder.
fn in_project(root: &Path, path: &str) -> PathBuf {
    root.join(path)
}
