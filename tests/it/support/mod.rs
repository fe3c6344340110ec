//! The tools of all tests: a project in a temporary folder, what a run of rbt on it did, what is in its database, and a
//! server to download from.

mod database;
mod project;
mod run;
mod running;
mod server;
mod services;

pub use database::Database;
pub use project::Project;
pub use run::Run;
pub use running::Running;
pub use server::Server;
pub use services::{Postgres, extensions};
