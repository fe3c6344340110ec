//! Whatever happens to a run, the database and the artifacts are whole.

mod disks;
mod everything;
mod interrupts;
mod kills;
mod lakes;
mod locks;
mod threads;
