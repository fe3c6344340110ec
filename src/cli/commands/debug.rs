//! `debug`: what is found, where, and what is wrong.

use super::setup::{self, Opened};
use crate::cli::{Outcome, RBT_VERSION};
use crate::error::Result;
use crate::events::{Event, Events, Level};
use crate::flags::{DBT_VERSION, Flags};
use crate::project::profile::PROFILES_FILE;
use crate::warehouse::Fetch;

/// Checks the project file, the profile and the connection; with `--connection` tells of the connection only.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let say = |text: String| events.emit(Event::note(Level::Info, text));
    if flags.config_dir {
        let open = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        let folder = flags.profiles_dir.display();
        say(format!("To view your {PROFILES_FILE} file, run:\n\n{open} {folder}"));
        return Ok(Outcome::Succeeded);
    }
    say(format!("rbt version: {RBT_VERSION} (speaks dbt {DBT_VERSION})"));
    say(format!("system: {} {}", std::env::consts::OS, std::env::consts::ARCH));
    let opened = setup::open(flags, events);
    let project = match &opened {
        Ok(opened) => {
            setup::warn_all(events, &opened.workspace.warnings)?;
            Ok(opened.workspace.root().name.clone())
        }
        Err(_) => setup::without_profile(flags, events, |project, _, _| Ok(project.name.clone())),
    };
    let file = match &opened {
        Ok(opened) => opened.workspace.profile.file.clone(),
        Err(_) => flags.written_profiles_dir.join(PROFILES_FILE),
    };
    say(format!("Using profiles dir at {}", file.parent().unwrap_or(&file).display()));
    say(format!("Using {PROFILES_FILE} file at {}", file.display()));
    if !flags.profiles_dir.join(PROFILES_FILE).is_file() && opened.is_err() {
        say(format!("dbt looked for a {PROFILES_FILE} file in {}", flags.written_profiles_dir.display()));
    }
    say(format!("Using dbt_project.yml file at {}", flags.project_dir.join("dbt_project.yml").display()));
    if flags.connection {
        say("Skipping steps before connection verification".to_owned());
    } else {
        say("Configuration:".to_owned());
        let status = |done: Option<&crate::error::Error>, found: String| match done {
            Some(error) => format!("[ERROR]\n{error}"),
            None => format!("[OK found and valid]{found}"),
        };
        // What is wrong with the project is no fault of the profile.
        let profile = match (&opened, &project) {
            (Ok(opened), _) => {
                let profile = &opened.workspace.profile;
                status(None, format!(" (profile '{}', target '{}')", profile.name, profile.target_name))
            }
            (Err(_), Err(_)) => "[not checked: the project names the profile]".to_owned(),
            (Err(error), Ok(_)) => status(Some(error), String::new()),
        };
        say(format!("  {PROFILES_FILE} file {profile}"));
        let name = project.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        say(format!("  dbt_project.yml file {}", status(project.as_ref().err(), name)));
        say("Required dependencies:\n  none: DuckDB is built in (deps needs git for packages from repositories)".to_owned());
    }
    match opened {
        Ok(opened) => Ok(try_connection(&opened, say)),
        Err(error) => {
            if flags.connection {
                say(format!("Profile loading failed for the following reason:\n{error}"));
            }
            say("1 check failed.".to_owned());
            Ok(Outcome::Failed)
        }
    }
}

fn try_connection(opened: &Opened, say: impl Fn(String)) -> Outcome {
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
            Outcome::Succeeded
        }
        Err(error) => {
            say(format!("Connection test: [ERROR]\n{error}\n\n1 check failed."));
            Outcome::Failed
        }
    }
}
