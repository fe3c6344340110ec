//! Running: nodes in the order of their dependencies, on several connections, with hooks before and after.
//!
//! ```text
//! Job ──▶ schemas, on-run-start ──▶ workers (queue ▸ node ▸ result) ──▶ on-run-end ──▶ Report
//! ```

mod batches;
mod extractions;
mod failing_rows;
mod failures;
mod freshness;
mod hooks;
mod info;
mod materialize;
mod microbatch;
mod model;
mod one_scan;
mod result;
mod scheduler;
mod schemas;
mod tests;
mod unit_tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compile::Compiler;
use crate::error::Result;
use crate::events::{Event, stat_line};
use crate::graph::Dag;
use crate::interrupt;
use crate::manifest::{Id, Resource, ResourceType};
use crate::warehouse::{RelationCache, Session, Warehouse};

pub use extractions::Extractions;
pub use freshness::{FreshnessRun, measure as measure_freshness};
pub use info::node_info;
pub use model::timed;
pub use result::{NodeRun, Report, Timing};

/// What is to be done with the selected nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Build them: run models, load seeds, take snapshots, run tests.
    Execute,
    /// Put in their places what an earlier run has of them.
    Clone,
    /// Compile them only.
    Compile,
}

impl Action {
    /// Whether it changes anything in the warehouse.
    fn changes(self) -> bool {
        self != Action::Compile
    }
}

/// One run over some nodes.
pub struct Job<'a> {
    pub compiler: Arc<Compiler>,
    pub warehouse: &'a dyn Warehouse,
    /// The graph that orders the nodes: of `build` the one in which tests hold up what is downstream.
    pub dag: &'a Dag,
    pub selected: BTreeSet<Id>,
    pub action: Action,
    /// Whether a failing test holds up what is downstream of it (`build`).
    pub tests_hold_up: bool,
    /// Whether failures hold up anything at all (not in `test`).
    pub failures_hold_up: bool,
    /// The sources among the selected nodes that fetch themselves.
    pub extractions: Extractions,
    /// Whether `on-run-start` and `on-run-end` are part of it.
    pub runs_hooks: bool,
}

impl Job<'_> {
    /// Runs everything, and tells what came of it.
    ///
    /// # Errors
    /// If the warehouse cannot be reached or prepared; failures of nodes are in the report.
    pub fn run(&self) -> Result<Report> {
        let started = std::time::Instant::now();
        let shared = &self.compiler.shared;
        let cache = Arc::new(RelationCache::default());
        let session = self.session(&cache)?;
        if self.action.changes() {
            schemas::prepare(self, &session)?;
        }
        self.announce();
        let mut runs = if self.runs_hooks { hooks::run_start(self, &session)? } else { Vec::new() };
        // dbt's default: the error of a hook at the start is told, and the nodes run all the same.
        let prevented = runs.iter().any(|run| run.status.is_failure());
        let seen = if prevented && shared.flags.behavior.skip_nodes_if_on_run_start_fails {
            runs.extend(scheduler::skip_all(self));
            &[]
        } else {
            runs.extend(scheduler::run(self, &session, &cache)?);
            runs.as_slice()
        };
        let end = if self.runs_hooks { hooks::run_end(self, &session, seen) } else { Ok(Vec::new()) };
        let broken = end.map(|end| runs.extend(end)).err();
        Ok(Report { broken, ..self.report(runs, started.elapsed().as_secs_f64()) })
    }

    /// A session on a connection of its own.
    fn session(&self, cache: &Arc<RelationCache>) -> Result<Arc<Session>> {
        let shared = &self.compiler.shared;
        let autocommit = shared.target.disable_transactions;
        let session = Session::new(self.warehouse.connect()?, cache.clone(), autocommit);
        session.comment(shared.query_comment("master", None)?);
        let may_ask = shared.flags.introspect || self.action.changes();
        Ok(Arc::new(if may_ask { session } else { session.closed() }))
    }

    /// Does something else than running nodes between the hooks. Says whether all hooks went well.
    ///
    /// # Errors
    /// Those of the work.
    pub fn between_hooks<T>(
        &self,
        session: &Arc<Session>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(T, bool)> {
        if !self.runs_hooks {
            return Ok((work()?, true));
        }
        let mut runs = hooks::run_start(self, session)?;
        let done = work()?;
        runs.extend(hooks::run_end(self, session, &[])?);
        let failed: Vec<_> = runs.iter().filter(|run| run.status.is_failure()).collect();
        if !failed.is_empty() {
            let results = failed.iter().map(|run| run.event.clone()).collect();
            let interrupted = interrupt::asked();
            self.compiler.shared.events.emit(Event::Summary { results, interrupted });
        }
        Ok((done, failed.is_empty()))
    }

    fn announce(&self) {
        let shared = &self.compiler.shared;
        shared.events.emit(Event::Concurrency {
            threads: shared.target.threads,
            target: shared.target.name.clone(),
            nodes: self.counted(),
        });
    }

    /// How many of the selected nodes have a line of their own.
    fn counted(&self) -> usize {
        self.selected.iter().filter(|id| !self.is_ephemeral(id)).count()
    }

    fn is_ephemeral(&self, id: &str) -> bool {
        self.action.changes() && self.compiler.manifest.node(id).is_some_and(|node| node.is_ephemeral())
    }

    fn report(&self, runs: Vec<NodeRun>, elapsed: f64) -> Report {
        let interrupted = interrupt::asked();
        let events = &self.compiler.shared.events;
        if self.action.changes() && !runs.is_empty() {
            let told = || runs.iter().filter(|run| run.is_told());
            events.emit(Event::FinishedRunning { stats: self.stats(told()), elapsed });
            let results = told().map(|run| run.event.clone()).collect();
            events.emit(Event::Summary { results, interrupted });
        }
        Report { runs, elapsed, interrupted, broken: None }
    }

    /// `1 seed, 2 table models, 5 data tests`.
    fn stats<'a>(&self, runs: impl Iterator<Item = &'a NodeRun>) -> String {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for run in runs {
            let word = match self.compiler.manifest.resource(&run.unique_id) {
                Some(Resource::Node(node)) => match node.resource_type {
                    ResourceType::Model => format!("{} model", node.materialized()),
                    ResourceType::Test => "data_test".to_owned(),
                    ResourceType::Operation => "project_hook".to_owned(),
                    kind => kind.as_str().to_owned(),
                },
                Some(resource) => resource.resource_type().as_str().to_owned(),
                None => continue,
            };
            match counts.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += 1,
                None => counts.push((word, 1)),
            }
        }
        counts.sort();
        stat_line(counts)
    }
}
