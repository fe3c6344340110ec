//! `source freshness`: how old the data of the sources is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::execute::compiler;
use super::{select, setup};
use crate::artifacts::write_sources;
use crate::cli::Outcome;
use crate::error::{Error, Result};
use crate::events::{Event, Events, Level, Position, Status, Warning};
use crate::flags::Flags;
use crate::graph::Dag;
use crate::manifest::{Id, ResourceType, Source};
use crate::run::{Action, Extractions, FreshnessRun, Job, measure_freshness};

/// Measures the selected sources, and writes `sources.json`.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let started = Instant::now();
    let loaded = setup::load(flags, events)?;
    let manifest = &loaded.parsed.manifest;
    let types = [ResourceType::Source];
    let dag = loaded.link()?;
    let selected = select::select(flags, &loaded, &dag, &types, &types)?;
    let sources: Vec<&Source> = selected
        .iter()
        .filter_map(|id| manifest.sources.get(id))
        .filter(|source| source.checks_freshness())
        .collect();
    if sources.is_empty() {
        events.emit(Event::note(
            Level::Warn,
            "Nothing to do. Try checking your model configs and model specification args",
        ));
    }
    warn_of_hooks(flags, &loaded, events)?;
    let (runs, hooks_succeeded) =
        if sources.is_empty() { (Vec::new(), true) } else { measure(&loaded, &dag, &sources)? };
    let output = flags.output.as_deref();
    if let Some(path) = output {
        let message =
            format!("Custom output path usage `--output {path}` is deprecated in `source freshness`.");
        events.warn(Warning::new("CustomOutputPathInSourceFreshnessDeprecation", message))?;
    }
    let path = output.map_or_else(|| loaded.target.join("sources.json"), |path| flags.project_dir.join(path));
    if flags.write_json {
        write_sources(&path, &runs, started.elapsed().as_secs_f64(), &loaded.parsed.shared)?;
        events.emit(Event::ArtifactWritten {
            kind: "FreshnessExecutionResultArtifact",
            path: path.display().to_string(),
        });
    }
    for run in &runs {
        if let Some(message) = &run.message {
            events.emit(Event::note(Level::Error, format!("{}: {message}", run.unique_id)));
        }
    }
    events.emit(Event::note(Level::Info, "Done."));
    let failed = runs.iter().any(|run| matches!(run.status, Status::Error | Status::RuntimeError));
    Ok(if failed || !hooks_succeeded { Outcome::Failed } else { Outcome::Succeeded })
}

/// Hooks that are switched off for this command are a thing of the past.
fn warn_of_hooks(flags: &Flags, loaded: &setup::Loaded, events: &Events) -> Result<()> {
    let mut nodes = loaded.parsed.manifest.nodes.values();
    let has_hooks = nodes.any(|node| node.resource_type == ResourceType::Operation);
    if flags.behavior.source_freshness_run_project_hooks || !has_hooks {
        return Ok(());
    }
    events.warn(Warning::new(
        "SourceFreshnessProjectHooksNotRun",
        "`source freshness` leaves out the hooks of the project (on-run-start, on-run-end), as the flag \
         `source_freshness_run_project_hooks` says: it is deprecated to switch it off.",
    ))
}

/// Measures the sources one after another, between the hooks of the project. Says whether the hooks went well.
fn measure(loaded: &setup::Loaded, dag: &Dag, sources: &[&Source]) -> Result<(Vec<FreshnessRun>, bool)> {
    let warehouse = loaded.open_warehouse()?;
    let selected: BTreeSet<Id> = sources.iter().map(|source| source.unique_id.clone()).collect();
    let compiler = compiler(loaded, &selected)?;
    let session = Arc::new(loaded.session(&*warehouse, "master")?);
    let total = sources.len();
    let position = |index: usize| Position { index: index + 1, total };
    let measure_all = || {
        let each = sources.iter().enumerate();
        each.map(|(index, source)| measure_freshness(&compiler, source, position(index), &session)).collect()
    };
    let job = Job {
        compiler: compiler.clone(),
        warehouse: &*warehouse,
        dag,
        selected,
        action: Action::Execute,
        tests_hold_up: false,
        failures_hold_up: false,
        extractions: Extractions::default(),
        runs_hooks: loaded.parsed.shared.flags.behavior.source_freshness_run_project_hooks,
    };
    job.between_hooks(&session, || {
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new().name("Thread-1 (worker)".to_owned());
            match worker.spawn_scoped(scope, measure_all).map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(runs)) => Ok(runs),
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => Err(Error::runtime(format!("no thread can be started: {error}"))),
            }
        })
    })
}
