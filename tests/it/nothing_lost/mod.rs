//! Whatever happens to a run, the database and the artifacts are whole.

mod interrupts;
