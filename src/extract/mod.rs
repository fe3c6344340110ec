//! The room of source extractors: what fills the raw layer that a project's sources read.
//!
//! [`raw_files`] writes the raw layer of the Spotify pipeline. [`sandbox`] is an invented world that answers
//! where the Web API would, so that extraction and build can be tried, shown and tested without an account.

pub mod raw_files;
pub mod sandbox;
