//! The language's builtins: operators, methods of strings and numbers, filters, tests, global functions.

pub mod filters;
pub mod format;
pub mod functions;
pub mod internal;
pub mod methods;
pub mod operators;
pub mod percent;
pub mod sequences;
pub mod strings;
pub mod tests;
