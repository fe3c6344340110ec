//! `run-operation`: one macro, called by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::execute::compiler;
use super::setup::{self, Loaded};
use crate::cli::Outcome;
use crate::error::{Error, Result};
use crate::events::{Event, Events, Level, Status};
use crate::flags::Flags;
use crate::jinja::{self, MacroTemplate};
use crate::run::{NodeRun, timed};
use crate::text::nearest;

/// Calls the macro with the arguments of `--args`. What it did lasts if it commits itself.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let loaded = setup::load(flags, events)?;
    let shared = &loaded.parsed.shared;
    let Some(wanted) = &flags.macro_name else {
        return Err(Error::usage("run-operation needs the name of a macro"));
    };
    let (package, name) = match wanted.split_once('.') {
        Some((package, name)) => (package, name),
        None => (&*shared.project_name, wanted.as_str()),
    };
    let macros = &shared.macros;
    let (package, found) = match wanted.contains('.') {
        true => (package, macros.find_in_package(package, name)),
        // As in dbt, also one of any package that is installed.
        false => match macros.find_macro(package, name) {
            Some(found) => (package, Some(found)),
            None => {
                let ids = loaded.parsed.manifest.macros.values();
                let owner =
                    ids.rev().find(|known| known.name == name).map(|known| known.package_name.as_ref());
                let owner = owner.unwrap_or(package);
                (owner, macros.find_in_package(owner, name))
            }
        },
    };
    let Some(template) = found.cloned() else {
        let error =
            Error::compilation(format!("dbt could not find a macro with the name '{name}' in any package"));
        return Err(match nearest(name, shared.macros.names(package)) {
            Some(similar) => error.help(format!("did you mean '{similar}'?")),
            None => error,
        });
    };
    let mut timing = Vec::new();
    let done = timed("compile", &mut timing, || Ok(()))
        .and_then(|()| timed("execute", &mut timing, || call(&loaded, package, &template)));
    let status = if done.is_ok() { Status::Success } else { Status::Error };
    let id = loaded.parsed.manifest.macros.keys().find(|id| id.ends_with(&format!(".{package}.{name}")));
    let id = id.cloned().unwrap_or_else(|| format!("macro.{package}.{name}").into());
    let run =
        NodeRun { failures: Some(i64::from(done.is_err())), ..NodeRun::outside(id, status, timing, None) };
    let elapsed = run.execution_time;
    loaded.write_run_results(&[run], elapsed)?;
    Ok(match done {
        Ok(()) => Outcome::Succeeded,
        Err(error) => {
            events.emit(Event::note(
                Level::Error,
                format!("Encountered an error while running operation: {error}"),
            ));
            Outcome::Failed
        }
    })
}

/// Calls the macro on a connection of its own.
fn call(loaded: &Loaded, package: &str, template: &Arc<MacroTemplate>) -> Result<()> {
    let shared = &loaded.parsed.shared;
    let warehouse = loaded.open_warehouse()?;
    let session = Arc::new(loaded.session(&*warehouse, &format!("macro_{}", template.name))?);
    let context = compiler(loaded, &BTreeSet::new())?.operation_context(package, &session);
    let args: Vec<(&str, minijinja::Value)> =
        shared.flags.args.iter().map(|(name, value)| (name.as_str(), jinja::from_json(value))).collect();
    let done = shared.engine.call_macro(template, &context.scope(), &[], &args);
    session.rollback()?;
    done.map(|_| ())
}
