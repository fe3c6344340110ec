//! `build`, `run`, `test`, `seed`, `snapshot` and `clone`: the same work on different kinds of nodes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::thread;

use super::setup::{self, Loaded};
use super::{extraction, select, state};
use crate::cli::Outcome;
use crate::compile::{Compiler, point_foreign_keys};
use crate::error::Result;
use crate::events::{Event, Events, Level, Status};
use crate::flags::{Command, Flags};
use crate::graph::{self, Dag};
use crate::jinja::context::text_table;
use crate::manifest::{Id, Manifest, Node, ResourceType};
use crate::run::{Action, Extractions, Job, NodeRun, Report};
use crate::warehouse::{Credentials, Fetch, Warehouse};

/// The kinds of nodes that a command works on.
fn types_of(command: Command) -> &'static [ResourceType] {
    match command {
        Command::Run => &[ResourceType::Model],
        Command::Test => graph::TEST_TYPES,
        Command::Seed => &[ResourceType::Seed],
        Command::Snapshot => &[ResourceType::Snapshot],
        Command::Clone => graph::CLONE_TYPES,
        Command::Extract => &[],
        _ => graph::BUILD_TYPES,
    }
}

/// Runs one of these commands.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let loaded = setup::load(flags, events)?;
    let plain = loaded.link()?;
    let mut types = types_of(flags.which).to_vec();
    types.extend(extraction::takes_sources(flags, &loaded).then_some(ResourceType::Source));
    let mut selected = select::select(flags, &loaded, &plain, &types, &types)?;
    let prepared = extraction::prepare(flags, &loaded, &mut selected)?;
    let mut dag = if flags.which == Command::Build { loaded.build_order(&plain)? } else { plain };
    prepared.extractions.order(&mut dag);
    if selected.is_empty() {
        events.emit(Event::note(
            Level::Warn,
            "Nothing to do. Try checking your model configs and model specification args",
        ));
    }
    let action = if flags.which == Command::Clone { Action::Clone } else { Action::Execute };
    let job = Work { action, selected, dag: &dag, extractions: prepared.extractions };
    let report = job.run(&loaded)?;
    if flags.which == Command::Seed && flags.show {
        show_seeds(&loaded, &report, events)?;
    }
    Ok(if report.succeeded() { Outcome::Succeeded } else { Outcome::Failed })
}

/// How many rows of a seed are shown.
const SHOWN_ROWS: usize = 10;

/// `seed --show`: some rows of every table that was loaded.
fn show_seeds(loaded: &Loaded, report: &Report, events: &Events) -> Result<()> {
    let warehouse = loaded.open_warehouse()?;
    let mut connection = warehouse.connect()?;
    for run in report.runs.iter().filter(|run| run.status == Status::Success) {
        let Some(node) = loaded.parsed.manifest.node(&run.unique_id) else { continue };
        let Some(relation) = &node.relation_name else { continue };
        let (_, table) =
            connection.execute(&format!("select * from {relation}"), Fetch::Limit(SHOWN_ROWS))?;
        let title = format!("Some rows of table: {}.{}", node.schema, node.alias);
        let line = "-".repeat(title.len());
        events.emit(Event::note(Level::Info, format!("{title}\n{line}\n{}", text_table(&table))));
    }
    Ok(())
}

/// Work on selected nodes of a loaded project.
pub struct Work<'a> {
    pub action: Action,
    pub selected: BTreeSet<Id>,
    pub dag: &'a Dag,
    pub extractions: Extractions,
}

impl Work<'_> {
    /// Does it, and writes the artifacts.
    pub fn run(self, loaded: &Loaded) -> Result<Report> {
        let compiler = compiler(loaded, &self.selected)?;
        let is_compiling = self.action == Action::Compile;
        let (report, warehouse) = self.run_nodes(loaded, compiler.clone())?;
        // What the run changed is safe in the database's log already. Bringing it into the file, which DuckDB does
        // when a database is closed, takes long where many tables are new, and one thread.
        thread::scope(|scope| {
            // Where no thread can be had, it is closed here.
            let _ = thread::Builder::new().spawn_scoped(scope, || drop(warehouse));
            write_artifacts(loaded, &compiler.manifest, &report, is_compiling)
        })?;
        match report.broken {
            Some(error) => Err(error),
            None => Ok(report),
        }
    }

    /// Runs the nodes. Gives the warehouse as well, if they needed one.
    fn run_nodes(
        self,
        loaded: &Loaded,
        compiler: Arc<Compiler>,
    ) -> Result<(Report, Option<Box<dyn Warehouse>>)> {
        if self.selected.is_empty() {
            let report = Report { runs: Vec::new(), elapsed: 0.0, interrupted: false, broken: None };
            return Ok((report, None));
        }
        let command = loaded.parsed.shared.flags.which;
        let warehouse = match command {
            // It needs no more than a place to make files in, and leaves the database to others.
            Command::Extract => Credentials::in_memory()?.open()?,
            _ if self.action == Action::Compile => loaded.lazy_warehouse(),
            _ => loaded.open_warehouse()?,
        };
        let job = Job {
            compiler,
            warehouse: &*warehouse,
            dag: self.dag,
            selected: self.selected,
            action: self.action,
            tests_hold_up: command == Command::Build,
            failures_hold_up: command != Command::Test && self.action == Action::Execute,
            extractions: self.extractions,
            runs_hooks: self.action == Action::Execute && command != Command::Extract,
        };
        let report = job.run()?;
        drop(job);
        Ok((report, Some(warehouse)))
    }
}

fn write_artifacts(loaded: &Loaded, manifest: &Manifest, report: &Report, is_compiling: bool) -> Result<()> {
    let compiled: HashMap<Id, _> =
        report.runs.iter().filter_map(|run| Some((run.unique_id.clone(), run.compiled.clone()?))).collect();
    loaded.write_manifest(manifest, &compiled, true)?;
    // What came of ephemeral models is told by those that refer to them, unless they were asked for.
    let flags = &loaded.parsed.shared.flags;
    let tells_all = is_compiling && !(flags.select.is_empty() && flags.models.is_empty());
    let is_ephemeral = |run: &&NodeRun| manifest.node(&run.unique_id).is_some_and(Node::is_ephemeral);
    let runs = report.runs.iter().filter(|run| tells_all || !is_ephemeral(run));
    let runs: Vec<NodeRun> = runs.cloned().collect();
    loaded.write_run_results(&runs, report.elapsed)
}

/// A compiler for a loaded project.
///
/// Fails where the run that is deferred to cannot be read.
pub fn compiler(loaded: &Loaded, selected: &BTreeSet<Id>) -> Result<Arc<Compiler>> {
    let parsed = &loaded.parsed;
    let deferral = state::deferral(loaded)?;
    let mut manifest = parsed.manifest.clone();
    point_foreign_keys(&mut manifest, &parsed.lookup, &parsed.shared, selected, &deferral);
    Ok(Arc::new(Compiler::new(
        parsed.shared.clone(),
        manifest,
        parsed.lookup.clone(),
        Arc::new(selected.iter().cloned().collect()),
        loaded.target.clone(),
        loaded.shown_target.clone(),
        Arc::new(deferral),
    )))
}
