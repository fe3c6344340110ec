//! A dbt project as it lies on disk: project files, profiles, packages, variables, files and configurations.

pub mod yaml;
