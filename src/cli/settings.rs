//! Where flags come from besides the command line: the process, and the project's own files.

use std::path::Path;

use serde_json::{Map, Value};

use crate::cli::args::Surroundings;
use crate::error::{Error, Result};
use crate::flags::{Flags, Notice};
use crate::project::yaml;

/// What this process knows about where it was called.
pub fn surroundings() -> Surroundings {
    let text = |word: std::ffi::OsString| word.into_string().ok();
    Surroundings {
        env: std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect(),
        current_dir: std::env::current_dir().unwrap_or_else(|_| ".".into()),
        home: std::env::home_dir(),
    }
}

/// Adds what the project says about flags: `flags:` and `log-path:` of `dbt_project.yml`, or, the old way,
/// `config:` of `profiles.yml`.
///
/// Fails when flags have wrong values. Files that cannot be read are no matter here: the command that needs them
/// tells it better.
pub fn add_project(flags: &mut Flags) -> Result<()> {
    let project = read_mapping(&flags.project_dir.join("dbt_project.yml"));
    let profiles = read_mapping(&flags.profiles_dir.join("profiles.yml"));
    if flags.log_path.is_none()
        && let Some(Value::String(path)) = project.get("log-path")
    {
        flags.log_path = Some(flags.project_dir.join(path));
    }
    let new = mapping_at(&project, "flags");
    let old = mapping_at(&profiles, "config");
    if !new.is_empty() && !old.is_empty() {
        return Err(Error::runtime(
            "Do not specify both 'config' in profiles.yml and 'flags' in dbt_project.yml.",
        )
        .help("move all of 'config' to 'flags': the former is deprecated"));
    }
    if !old.is_empty() {
        flags.notices.push(Notice {
            code: "ProjectFlagsMovedDeprecation",
            message:
                "User config should be moved from the 'config' key in profiles.yml to the 'flags' key in \
                      dbt_project.yml."
                    .into(),
        });
    }
    flags.with_project_flags(if new.is_empty() { &old } else { &new })
}

fn read_mapping(path: &Path) -> Map<String, Value> {
    let Ok(text) = std::fs::read_to_string(path) else { return Map::new() };
    match yaml::parse(&text, path).map(|tree| tree.to_json()) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn mapping_at(map: &Map<String, Value>, key: &str) -> Map<String, Value> {
    map.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
}
