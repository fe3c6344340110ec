//! rbt: a data build tool in one program.

pub mod artifacts;
pub mod cache;
pub mod cli;
pub mod compile;
pub mod error;
pub mod events;
pub mod extract;
pub mod flags;
pub mod graph;
pub mod http;
pub mod interrupt;
pub mod jinja;
pub mod manifest;
pub mod parse;
pub mod project;
#[cfg(test)]
mod properties;
pub mod run;
pub mod sql;
pub mod stored;
pub mod text;
mod tls;
pub mod warehouse;
