//! Which sources are extracted by `build` and `extract`.

use std::collections::BTreeSet;

use chrono::{Local, NaiveDate};

use super::setup::Loaded;
use crate::error::{Error, Result};
use crate::events::{Event, Level};
use crate::extract::sandbox::Sandbox;
use crate::extract::{Extraction, Surroundings, has_extractor, plan};
use crate::flags::{Command, Flags};
use crate::manifest::Id;
use crate::run::Extractions;

/// The extractions of a command, and the server that some of them ask.
#[derive(Default)]
pub struct Prepared {
    pub extractions: Extractions,
    /// Serves as long as it is held.
    _sandbox: Option<Sandbox>,
}

/// Whether sources are among the nodes that a command may run: `extract` runs nothing else, and `build` those that fetch
/// themselves.
pub fn takes_sources(flags: &Flags, loaded: &Loaded) -> bool {
    match flags.which {
        Command::Extract => true,
        Command::Build => !flags.no_extract && loaded.parsed.manifest.sources.values().any(has_extractor),
        _ => false,
    }
}

/// Leaves of the selected sources those that can be extracted, and makes their extractions ready.
///
/// A build goes on without those for which the environment lacks something, with the raw files that are there.
///
/// # Errors
/// What is wrong with an extractor's configuration; for `extract`, what the environment lacks.
pub fn prepare(flags: &Flags, loaded: &Loaded, selected: &mut BTreeSet<Id>) -> Result<Prepared> {
    let manifest = &loaded.parsed.manifest;
    let sources: BTreeSet<Id> =
        selected.iter().filter(|id| manifest.sources.get(*id).is_some_and(has_extractor)).cloned().collect();
    selected.retain(|id| !manifest.sources.contains_key(id));
    if sources.is_empty() {
        return Ok(Prepared::default());
    }
    let day = flags.date.unwrap_or_else(today);
    let sandbox = if flags.sandbox { Some(Sandbox::start(day)?) } else { None };
    let surroundings = Surroundings {
        root: &flags.project_dir,
        environment: |name| std::env::var(name).ok(),
        profile: &loaded.workspace.profile.extractors,
        sandbox: sandbox.as_ref(),
    };
    let mut ready = Vec::new();
    for extraction in plan(manifest, &sources, &surroundings)? {
        match extraction.extractor.lacks() {
            None => ready.push(extraction),
            Some(lack) if flags.which == Command::Extract => return Err(not_ready(&extraction, lack)),
            Some(lack) => loaded.parsed.shared.events.emit(Event::note(
                Level::Info,
                format!(
                    "The source {} is not extracted: there are no credentials; {lack}. The build reads the raw files that are \
                     there.",
                    extraction.source
                ),
            )),
        }
    }
    let anew = flags.full_refresh && flags.which == Command::Extract;
    let extractions = Extractions::new(day, anew, ready);
    selected.extend(extractions.tables().cloned());
    Ok(Prepared { extractions, _sandbox: sandbox })
}

/// The day by the clock of this machine.
fn today() -> NaiveDate {
    Local::now().date_naive()
}

fn not_ready(extraction: &Extraction, lack: String) -> Error {
    Error::runtime(format!("the source {} cannot be extracted: there are no credentials", extraction.source))
        .help(format!("{lack}; --sandbox tries it without an account"))
}
