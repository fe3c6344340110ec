//! rbt: a data build tool in one program.

pub mod error;
pub mod manifest;
pub mod project;
pub mod sql;
pub mod text;
pub mod warehouse;
