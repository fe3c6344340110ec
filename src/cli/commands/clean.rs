//! `clean`: removes what was generated.

use std::path::{Component, Path, PathBuf};

use super::setup;
use crate::cli::Outcome;
use crate::error::{Error, Location, Result};
use crate::events::{Event, Events, Level, Warning};
use crate::flags::Flags;
use crate::project::project_file::{PROJECT_FILE, Project};

/// Removes the folders under `clean-targets`; by default the folder of artifacts. It needs no profile.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let folders = setup::without_profile(flags, events, |project, _, _| {
        let folders = targets(flags, project)?;
        warn_of_old_packages(events, project).map(|()| folders)
    })?;
    for folder in folders {
        events.emit(Event::note(Level::Info, format!("Checking {}/*", folder.display())));
        if folder.is_dir() {
            std::fs::remove_dir_all(&folder).map_err(|error| Error::io("remove", &folder, &error))?;
        }
        events.emit(Event::note(Level::Info, format!("Cleaned {}/*", folder.display())));
    }
    events.emit(Event::note(Level::Info, "Finished cleaning all paths."));
    Ok(Outcome::Succeeded)
}

/// Packages are installed elsewhere than they once were.
fn warn_of_old_packages(events: &Events, project: &Project) -> Result<()> {
    let named = project.clean_targets.as_deref().unwrap_or_default();
    let is_named = |folder: &str| named.iter().any(|target| target == folder);
    if !is_named("dbt_modules") || is_named(&project.packages_install_path) {
        return Ok(());
    }
    let message = "The default package install path has changed from `dbt_modules` to `dbt_packages`. Name that folder \
                   in `clean-targets` and `.gitignore`, or keep the old one with `packages-install-path: dbt_modules`.";
    let place = Location::file(project.root.join(PROJECT_FILE));
    events.warn(Warning::new("PackageInstallPathDeprecation", message).at(place))
}

/// The folders to remove: none that holds what people wrote, and none outside of the project unless that is wanted.
fn targets(flags: &Flags, project: &Project) -> Result<Vec<PathBuf>> {
    let absolute = |path: &Path| normal(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let root = absolute(&project.root);
    let default = || vec![project.target_path.clone().unwrap_or_else(|| "target".to_owned())];
    let named = project.clean_targets.clone().unwrap_or_else(default);
    let folders: Vec<PathBuf> = named.iter().map(|target| absolute(&root.join(target))).collect();
    let sources = [
        &project.model_paths,
        &project.seed_paths,
        &project.snapshot_paths,
        &project.analysis_paths,
        &project.macro_paths,
        &project.test_paths,
    ];
    let sources: Vec<PathBuf> =
        sources.into_iter().flatten().map(|path| absolute(&root.join(path))).collect();
    let told = |folders: &[&PathBuf]| {
        folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let written: Vec<&PathBuf> = folders.iter().filter(|folder| sources.contains(folder)).collect();
    if !written.is_empty() {
        let message = format!("dbt will not clean the following source paths: {}", told(&written));
        return Err(Error::runtime(message).help("take them out of clean-targets in dbt_project.yml"));
    }
    let is_outside = |folder: &&PathBuf| !folder.starts_with(&root) || **folder == root;
    let outside: Vec<&PathBuf> = folders.iter().filter(is_outside).collect();
    // What holds the project itself is never removed.
    let holds_project = outside.iter().any(|folder| root.starts_with(folder));
    if !outside.is_empty() && (flags.clean_project_files_only || holds_project) {
        return Err(Error::runtime(format!(
            "dbt will not clean the following directories outside the project: {}",
            told(&outside)
        ))
        .help("clean-targets must be folders inside of the project, unless --no-clean-project-files-only is given"));
    }
    Ok(folders)
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}
