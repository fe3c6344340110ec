//! The command line: words in, flags out; events in, lines out.

pub mod args;
pub mod help;
pub mod options;
pub mod usage;
pub mod values;
pub mod version;
