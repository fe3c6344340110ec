//! Whatever happens to a run, the database and the artifacts are whole.

mod everything;
mod interrupts;
mod kills;
