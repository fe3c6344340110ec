//! `deps`: installs the packages of the project.

use std::cell::OnceCell;

use super::setup;
use crate::cli::Outcome;
use crate::error::Result;
use crate::events::{Event, Events, Level, Warning};
use crate::flags::Flags;
use crate::http::Client;
use crate::project::deps::{self, DepsOptions, DepsTools, InstalledPackage};

/// The package hub of dbt.
const HUB_URL: &str = "https://hub.getdbt.com/";

/// Installs the packages, and says what was installed. It needs no profile.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let say = |text: String| events.emit(Event::note(Level::Info, text));
    if let Some(package) = &flags.add_package {
        let version = package.version.as_deref();
        let file = deps::add_package(&flags.project_dir, &flags.source, &package.name, version)?;
        say(format!("Added new package {} to {}", package.name, file.display()));
    }
    let hub_url = std::env::var("DBT_PACKAGE_HUB_URL").unwrap_or_else(|_| HUB_URL.to_owned());
    let options =
        DepsOptions { upgrade: flags.upgrade, lock_only: flags.lock, check_version: flags.version_check };
    let hub_url = format!("{}/", hub_url.trim_end_matches('/'));
    let client = OnceCell::new();
    let download = |url: &str| match client.get_or_init(Client::new) {
        Ok(client) => client.get(url),
        Err(error) => Err(error.clone()),
    };
    let report = setup::without_profile(flags, events, |project, list, render| {
        let tools = DepsTools { render, download: &download, hub_url: &hub_url };
        deps::install(project, list, options, tools)
    })?;
    for warning in report.warnings {
        events.warn(Warning { location: warning.location, ..Warning::new(warning.code, warning.message) })?;
    }
    if report.installed.is_empty() && report.lock.is_none() {
        say("Warning: No packages were found in packages.yml".to_owned());
    }
    if let Some(lock) = report.lock {
        say(format!("Updating lock file in file path: {}", lock.display()));
    }
    for package in report.installed {
        say(installed(&package));
    }
    Ok(Outcome::Succeeded)
}

fn installed(package: &InstalledPackage) -> String {
    let mut text = format!("Installing {}\n  Installed from {}", package.origin, package.version);
    if let Some(subdirectory) = &package.subdirectory {
        text.push_str(&format!("\n  and subdirectory {subdirectory}"));
    }
    if let Some(update) = &package.update {
        text.push_str(&format!("\n  Updated version available: {update}"));
    }
    text
}
