//! rbt: a data build tool in one program.

pub mod cli;
pub mod error;
pub mod events;
pub mod flags;
pub mod project;
