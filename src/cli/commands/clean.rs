//! `clean`: removes what was generated.

use std::path::Path;

use super::setup;
use crate::cli::Outcome;
use crate::error::{Error, Result};
use crate::events::{Event, Events, Level};
use crate::flags::Flags;

/// Removes the folders under `clean-targets`; by default the folder of artifacts.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let opened = setup::open(flags, events)?;
    let project = opened.workspace.root();
    let default = || vec![project.target_path.clone().unwrap_or_else(|| "target".to_owned())];
    let targets = project.clean_targets.clone().unwrap_or_else(default);
    let root = std::path::absolute(&project.root).unwrap_or_else(|_| project.root.clone());
    for target in targets {
        let path = project.root.join(&target);
        let absolute = normal(&std::path::absolute(&path).unwrap_or_else(|_| path.clone()));
        if !absolute.starts_with(&root) || absolute == root {
            return Err(Error::runtime(format!(
                "dbt will not clean the following directories outside the project: {target}"
            ))
            .help("clean-targets must be folders inside of the project"));
        }
        if project
            .model_paths
            .iter()
            .chain(&project.test_paths)
            .any(|source| Path::new(source) == Path::new(&target))
        {
            return Err(Error::runtime(format!("dbt will not clean the source folder {target}")));
        }
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|error| Error::io("remove", &path, &error))?;
            events.emit(Event::note(Level::Info, format!("Cleaned {}", path.display())));
        }
    }
    events.emit(Event::note(Level::Info, "Finished cleaning all paths."));
    Ok(Outcome::Succeeded)
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> std::path::PathBuf {
    let mut clean = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(clean.pop()),
            std::path::Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}
