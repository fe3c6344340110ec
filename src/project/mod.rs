//! A dbt project as it lies on disk: project files, profiles, packages, variables, files and configurations.
//!
//! ```text
//!  dbt_project.yml ──RawProject::read──▶ RawProject ──(its profile's name)──▶ profile::load ──▶ Profile
//!                                            │                                                    │ (`target`)
//!                                            └────────────────Workspace::load◀────────────────────┘
//!                                                                  │
//!                          Project of the root and of each package, Vars, selectors, warnings
//!                                                                  │
//!                              files::read_all ──▶ SourceFile      config::resolve ──▶ Config
//! ```
//!
//! This room knows no Jinja: where a file may contain it, the caller gives the rendering ([`render::Render`]).

mod catalogs;
pub mod config;
mod dbtignore;
pub mod deps;
pub mod files;
pub mod packages;
pub mod profile;
pub mod project_file;
pub mod render;
pub mod resource;
pub mod semver;
pub mod vars;
pub mod workspace;
pub mod yaml;

use crate::error::Location;

/// Something that works and should be changed. Whether and how it is shown is the caller's.
#[derive(Debug, Clone)]
pub struct Warning {
    /// dbt's name of the event, by which users silence it or make it an error.
    pub code: &'static str,
    pub message: String,
    pub location: Option<Location>,
}
