//! The tools of all tests: a project in a temporary folder, what a run of rbt on it did, and what is in its database.

mod database;
mod project;
mod run;
mod running;

pub use database::Database;
pub use project::Project;
pub use run::Run;
pub use running::Running;
