//! rbt: a data build tool in one program.

pub mod error;
pub mod jinja;
