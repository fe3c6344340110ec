//! `retry`: what the last command left undone, with that command's settings.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use super::{setup, state};
use crate::cli::{Outcome, args};
use crate::error::{Error, Result};
use crate::events::{Event, Events, Level};
use crate::flags::{Command, Flags, Span, Unfinished};

/// Runs the last command again, on the nodes that failed or were skipped.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let opened = setup::open(flags, events)?;
    let folder = match &flags.state {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => opened.shown_target(flags),
    };
    let Some(results) = state::run_results(&flags.project_dir.join(&folder))? else {
        return Err(Error::runtime(format!("Could not find previous run in '{folder}' target directory"))
            .help("retry goes on with the run_results.json of an earlier command: run one, or name its folder with --state"));
    };
    let mut again = args::retried(flags, results["args"].as_object().unwrap_or(&Map::new()))?;
    let unfinished = unfinished(&results, again.which, flags.warn_error == Some(true));
    if again.which == Command::RunOperation && unfinished.nodes.is_empty() {
        events.emit(Event::note(Level::Info, "Nothing to do: the last operation succeeded."));
        return Ok(Outcome::Succeeded);
    }
    again.unfinished = Some(unfinished);
    super::run(&again, events)
}

/// What the results say is left to do.
fn unfinished(results: &Json, command: Command, warnings_count: bool) -> Unfinished {
    let is_hook = |id: &str| command != Command::RunOperation && id.starts_with("operation.");
    let each = || {
        let results = results["results"].as_array().into_iter().flatten();
        results.filter_map(|result| Some((result["unique_id"].as_str().filter(|id| !is_hook(id))?, result)))
    };
    let undone = |result: &Json| match result["status"].as_str() {
        Some("error" | "fail" | "skipped" | "runtime error" | "partial success") => true,
        Some("warn") => warnings_count,
        _ => false,
    };
    let nodes: BTreeSet<String> =
        each().filter(|(_, result)| undone(result)).map(|(id, _)| id.to_owned()).collect();
    let batches: BTreeMap<String, Vec<_>> = each()
        .filter_map(|(id, result)| Some((id.to_owned(), failed_batches(&result["batch_results"])?)))
        .collect();
    let metadata = &results["metadata"];
    let began_at = moment(&metadata["invocation_started_at"]).or_else(|| moment(&metadata["generated_at"]));
    Unfinished { nodes, batches, began_at }
}

/// The batches that failed beside others that succeeded. Where none succeeded, the model begins anew.
fn failed_batches(batches: &Json) -> Option<Vec<Span>> {
    let span = |pair: &Json| Some((moment(pair.get(0)?)?, moment(pair.get(1)?)?));
    let succeeded = batches["successful"].as_array().is_some_and(|batches| !batches.is_empty());
    let failed: Vec<_> = batches["failed"].as_array()?.iter().filter_map(span).collect();
    (succeeded && !failed.is_empty()).then_some(failed)
}

fn moment(text: &Json) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text.as_str()?).ok()?.to_utc())
}
