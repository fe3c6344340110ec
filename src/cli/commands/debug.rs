//! `debug`: what is found, where, and what is wrong.

use super::setup;
use crate::cli::{Outcome, RBT_VERSION};
use crate::error::Result;
use crate::events::{Event, Events, Level};
use crate::flags::{DBT_VERSION, Flags};
use crate::warehouse::Fetch;

/// Checks the project file, the profile and the connection.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let say = |text: String| events.emit(Event::note(Level::Info, text));
    say(format!("rbt version: {RBT_VERSION} (speaks dbt {DBT_VERSION})"));
    say(format!("project folder: {}", flags.project_dir.display()));
    let opened = match setup::open(flags, events) {
        Ok(opened) => opened,
        Err(error) => {
            say(format!("Configuration: [ERROR]\n{error}"));
            return Ok(Outcome::Failed);
        }
    };
    let workspace = &opened.workspace;
    let profile = &workspace.profile;
    say(format!("dbt_project.yml file [OK found and valid] ({})", workspace.root().name));
    say(format!(
        "profiles.yml file [OK found and valid] ({}, profile '{}', target '{}')",
        profile.file.display(),
        profile.name,
        profile.target_name
    ));
    say("Connection:".to_owned());
    for (key, value) in &opened.credentials.connection_info {
        say(format!("  {key}: {value}"));
    }
    let tested = opened
        .credentials
        .open()
        .and_then(|warehouse| warehouse.connect()?.execute("select 1 as id", Fetch::All));
    match tested {
        Ok(_) => {
            say("Connection test: [OK connection ok]\n\nAll checks passed!".to_owned());
            Ok(Outcome::Succeeded)
        }
        Err(error) => {
            say(format!("Connection test: [ERROR]\n{error}"));
            Ok(Outcome::Failed)
        }
    }
}
