//! One node, from its start to its result.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use minijinja::Value;
use serde_json::{Map, Value as Json, json};

use super::materialize::{Materialized, materialize, materialize_as};
use super::result::{NodeRun, Timing};
use super::scheduler::Cause;
use super::{Action, Job, failing_rows, failures, microbatch, tests, unit_tests};
use crate::compile::Occasion;
use crate::error::{Error, Result};
use crate::events::{Event, NodeInfo, NodeResult, Position, Status};
use crate::flags::Severity;
use crate::interrupt;
use crate::jinja::context::{Batch, StatementResult, node_relation};
use crate::manifest::{Compiled, Id, Node, Resource, ResourceType};
use crate::parse::{is_microbatch, stores_failures};
use crate::sql::RelationKind;
use crate::warehouse::{Response, Session};

/// Runs nodes on one worker.
pub struct NodeRunner<'a, 'j> {
    pub job: &'a Job<'j>,
}

/// What came of a node's work, before it is told.
pub struct Outcome {
    pub status: Status,
    pub message: Option<String>,
    pub failures: Option<i64>,
    /// Some of a test's failing rows, as a table.
    pub failing_rows: Option<String>,
    pub adapter_response: Map<String, Json>,
}

impl Outcome {
    /// A success with the warehouse's answer.
    pub fn of_response(response: &Response) -> Self {
        Outcome {
            message: Some(response.message.clone()),
            adapter_response: response_fields(response),
            ..Outcome::quiet(Status::Success)
        }
    }

    /// Nothing to do.
    fn no_op() -> Self {
        Outcome { message: Some("NO-OP".to_owned()), failures: Some(0), ..Outcome::quiet(Status::NoOp) }
    }

    /// A success without an answer.
    pub fn quiet(status: Status) -> Self {
        Outcome { status, message: None, failures: None, failing_rows: None, adapter_response: Map::new() }
    }
}

/// A response as artifacts have it.
pub fn response_fields(response: &Response) -> Map<String, Json> {
    let mut fields = Map::new();
    fields.insert("_message".to_owned(), json!(response.message));
    if let Some(code) = &response.code {
        fields.insert("code".to_owned(), json!(code));
    }
    if let Some(rows) = response.rows_affected {
        fields.insert("rows_affected".to_owned(), json!(rows));
    }
    fields
}

/// A node in work: its clock and what is known of it so far.
struct Progress {
    info: Arc<NodeInfo>,
    position: Option<Position>,
    clock: Instant,
    started_at: DateTime<Utc>,
    timing: Vec<Timing>,
    compiled: Option<Compiled>,
    /// The compiled file of a unit test, which as in dbt has no compiled code in artifacts.
    unit_test_path: Option<String>,
    /// Batches of a microbatch model, as artifacts have them.
    batch_results: Option<Json>,
}

impl<'a, 'j> NodeRunner<'a, 'j> {
    /// A runner for the nodes of a job.
    pub fn new(job: &'a Job<'j>) -> Self {
        NodeRunner { job }
    }

    /// Runs one node. `None` for an ephemeral model that compiles: it has no result of its own.
    pub fn run(
        &self,
        id: &Id,
        info: Arc<NodeInfo>,
        position: Option<Position>,
        session: &Arc<Session>,
    ) -> Option<NodeRun> {
        let events = &self.job.compiler.shared.events;
        let mut progress = Progress {
            info,
            position,
            clock: Instant::now(),
            started_at: Utc::now(),
            timing: Vec::new(),
            compiled: None,
            unit_test_path: None,
            batch_results: None,
        };
        if position.is_some() && self.job.action.changes() {
            let position = position.filter(|_| !self.is_idle(id));
            events.emit(Event::NodeStarted { node: progress.info.clone(), position });
        }
        session.tell(events, &progress.info.unique_id);
        let outcome = self.comment(id, session).and_then(|()| self.work(id, session, &mut progress));
        if position.is_none() && outcome.is_ok() {
            return None;
        }
        Some(self.finish(id, progress, outcome))
    }

    fn comment(&self, id: &Id, session: &Session) -> Result<()> {
        let compiler = &self.job.compiler;
        session.comment(compiler.shared.query_comment(id, compiler.manifest.resource(id))?);
        Ok(())
    }

    /// Whether there is nothing to do for such a resource: it stands in the graph only.
    fn is_idle(&self, id: &Id) -> bool {
        let resource = self.job.compiler.manifest.resource(id);
        matches!(resource, Some(Resource::Exposure(_) | Resource::Semantic(_)))
    }

    fn work(&self, id: &Id, session: &Arc<Session>, progress: &mut Progress) -> Result<Outcome> {
        let manifest = &self.job.compiler.manifest;
        match manifest.resource(id) {
            Some(Resource::Node(node)) => self.work_node(node, session, progress),
            Some(Resource::UnitTest(test)) if self.job.action == Action::Execute => {
                let path = &mut progress.unit_test_path;
                let work = || unit_tests::run(&self.job.compiler, test, session, path);
                timed("execute", &mut progress.timing, work)
            }
            Some(Resource::Source(source)) if self.job.action == Action::Execute => {
                let (job, node) = (self.job, progress.info.clone());
                let work = || job.extractions.run(source, &node, &job.compiler.shared.events, session);
                timed("execute", &mut progress.timing, || work().unwrap_or_else(|| Ok(Outcome::no_op())))
            }
            _ => Ok(Outcome::no_op()),
        }
    }

    fn work_node(&self, node: &Node, session: &Arc<Session>, progress: &mut Progress) -> Result<Outcome> {
        let compiler = &self.job.compiler;
        match self.job.action {
            Action::Execute if is_microbatch(node) => return self.work_batches(node, session, progress),
            Action::Clone => return self.clone_node(node, session),
            _ => {}
        }
        let occasion = Occasion { event_time: self.sample(node), ..Occasion::default() };
        let mut node = Arc::new(node.clone());
        let events = &compiler.shared.events;
        events.emit(Event::NodeCompiling(progress.info.clone()));
        let compiled =
            timed("compile", &mut progress.timing, || compiler.compile(&node, session, &occasion))?;
        if node.resource_type != ResourceType::Seed {
            progress.compiled = Some(compiled.clone());
            Arc::make_mut(&mut node).compiled = Some(Box::new(compiled));
        }
        if self.job.action == Action::Compile
            || node.is_ephemeral()
            || node.resource_type == ResourceType::Analysis
        {
            let outcome = Outcome::quiet(Status::Success);
            return timed("execute", &mut progress.timing, || Ok(outcome));
        }
        events.emit(Event::NodeExecuting(progress.info.clone()));
        let work = || {
            let context = compiler.context(&node, session, &occasion);
            let done = materialize(&context, &node, session)
                .map_err(|error| failures::explain(error, &node, compiler.target()))?;
            match node.resource_type {
                ResourceType::Test => {
                    let warnings_fail = compiler.shared.events.severity("LogTestResult") == Severity::Error;
                    let mut verdict = tests::judge(&node, &done, warnings_fail)?;
                    if let (Status::Fail | Status::Warn, Some(failures)) = (verdict.status, verdict.failures)
                    {
                        verdict.failing_rows = failing_rows::read(&node, failures, session);
                    }
                    Ok(verdict)
                }
                _ => Ok(outcome_of(&done)),
            }
        };
        timed("execute", &mut progress.timing, work)
    }

    /// Puts in the node's place what the state has of it. Nothing is compiled for that.
    fn clone_node(&self, node: &Node, session: &Arc<Session>) -> Result<Outcome> {
        let compiler = &self.job.compiler;
        if node.is_ephemeral() {
            return Ok(Outcome::quiet(Status::Success));
        }
        let mut node = Arc::new(node.clone());
        if let Some(relation) = compiler.deferral.relations.get(&node.unique_id) {
            let compiled_code = format!("select * from {}", relation.render());
            Arc::make_mut(&mut node).compiled =
                Some(Box::new(Compiled { compiled_code, ..Compiled::default() }));
        }
        let context = compiler.context(&node, session, &Occasion::default());
        let done = materialize_as(&context, &node, "clone", session)
            .map_err(|error| failures::explain(error, &node, compiler.target()))?;
        Ok(match &done.main {
            Some(_) => outcome_of(&done),
            None => Outcome { message: Some("No-op".to_owned()), ..Outcome::quiet(Status::Success) },
        })
    }

    /// The window of `--sample`, which models and snapshots see of their inputs.
    fn sample(&self, node: &Node) -> Option<(Option<String>, Option<String>)> {
        let window = self.job.compiler.shared.flags.sample.as_ref()?;
        let sees = matches!(node.resource_type, ResourceType::Model | ResourceType::Snapshot);
        sees.then(|| (Some(moment(window.start)), Some(moment(window.end))))
    }

    /// Builds a microbatch model, one batch after another. After a failure of the first batch the others are
    /// skipped, since there is no table that they could add to.
    fn work_batches(&self, node: &Node, session: &Arc<Session>, progress: &mut Progress) -> Result<Outcome> {
        let shared = &self.job.compiler.shared;
        let existing = session.relation(&node_relation(shared, node))?;
        let is_table = existing.as_ref().is_some_and(|relation| relation.kind == Some(RelationKind::Table));
        let full_refresh = node.config.get_bool("full_refresh").unwrap_or(shared.flags.full_refresh);
        let incremental = is_table && !full_refresh;
        let unfinished = shared.flags.unfinished.as_ref();
        let batches = match unfinished.and_then(|unfinished| unfinished.batches.get(&*node.unique_id)) {
            Some(spans) => microbatch::batches_of(node, spans)?,
            None => {
                let now = unfinished.and_then(|unfinished| unfinished.began_at);
                let now = now.unwrap_or(shared.run_started_at);
                microbatch::batches(node, &shared.flags, now, incremental)?
            }
        };
        let total = batches.len();
        let mut done: Vec<(Batch, bool)> = Vec::with_capacity(total);
        let mut first_error = None;
        for (index, batch) in batches.into_iter().enumerate() {
            let position = Position { index: index + 1, total };
            let label = format!("batch {} of {}", batch.label, progress.info.label);
            let failed_at_once = done.first().is_some_and(|(_, succeeded)| !succeeded);
            let outcome = if failed_at_once || interrupt::asked() {
                Ok(Outcome::quiet(Status::Skipped))
            } else {
                let node_info = progress.info.clone();
                shared.events.emit(Event::BatchStarted { node: node_info, position, label: label.clone() });
                let batch_node = microbatch::node_of_batch(node, &batch, index == 0, index + 1 == total);
                self.work_batch(batch_node, &batch, incremental || index > 0, session, progress)
            };
            let succeeded = outcome.as_ref().is_ok_and(|outcome| outcome.status == Status::Success);
            let told = outcome.unwrap_or_else(|error| {
                let told = failed(&error);
                first_error.get_or_insert(error);
                told
            });
            let result = Arc::new(batch_event(progress, position, told));
            shared.events.emit(Event::BatchFinished { position, label, result });
            done.push((batch, succeeded));
        }
        progress.batch_results = Some(microbatch::batch_results(&done));
        let succeeded = done.iter().filter(|(_, succeeded)| *succeeded).count();
        let (status, message) = match first_error {
            Some(error) if succeeded == 0 => return Err(error),
            None if succeeded == total => (Status::Success, "SUCCESS".to_owned()),
            _ => (Status::PartialSuccess, format!("PARTIAL SUCCESS ({succeeded}/{total})")),
        };
        Ok(Outcome { message: Some(message), failures: Some(0), ..Outcome::quiet(status) })
    }

    fn work_batch(
        &self,
        mut node: Arc<Node>,
        batch: &Batch,
        incremental: bool,
        session: &Arc<Session>,
        progress: &mut Progress,
    ) -> Result<Outcome> {
        let compiler = &self.job.compiler;
        let mut occasion = Occasion {
            event_time: Some((Some(moment(batch.start)), Some(moment(batch.end)))),
            batch: Some(batch.clone()),
            ..Occasion::default()
        };
        let compiled =
            timed("compile", &mut progress.timing, || compiler.compile(&node, session, &occasion))?;
        progress.compiled = Some(compiled.clone());
        Arc::make_mut(&mut node).compiled = Some(Box::new(compiled));
        if incremental {
            let macros = &mut occasion.overrides.macros;
            macros.insert("is_incremental".to_owned(), Value::from(true));
            macros.insert("should_full_refresh".to_owned(), Value::from(false));
        }
        let work = || {
            let context = compiler.context(&node, session, &occasion);
            materialize(&context, &node, session)
                .map(|done| outcome_of(&done))
                .map_err(|error| failures::explain(error, &node, compiler.target()))
        };
        timed("execute", &mut progress.timing, work)
    }

    fn finish(&self, id: &Id, progress: Progress, outcome: Result<Outcome>) -> NodeRun {
        let node = self.job.compiler.manifest.node(id);
        let location = outcome.as_ref().err().and_then(|error| error.location().cloned());
        let info = &progress.info;
        let subject = format!("{} {} ({})", info.resource_type, info.name, info.original_file_path);
        let outcome = outcome.unwrap_or_else(|error| failed(&error.of(&subject)));
        let keeps_rows = node.is_some_and(stores_failures);
        let result = NodeResult {
            node: progress.info,
            position: progress.position,
            status: outcome.status,
            message: outcome.message.clone(),
            failures: outcome.failures,
            failing_rows: outcome.failing_rows,
            adapter_response: outcome.adapter_response.clone(),
            execution_time: progress.clock.elapsed().as_secs_f64(),
            started_at: Some(progress.started_at),
            finished_at: Some(Utc::now()),
            compiled_path: match &progress.compiled {
                Some(compiled) => compiled.compiled_path.clone(),
                None => progress.unit_test_path,
            },
            failures_relation: node.filter(|_| keeps_rows).and_then(|node| node.relation_name.clone()),
            location,
            skipped_by_ephemeral: false,
        };
        let relation_name = node.filter(|node| node.test.is_none() || keeps_rows);
        // A microbatch model of which all batches failed has none beyond them, as dbt counts.
        let failures = outcome.failures.or_else(|| progress.batch_results.is_some().then_some(0));
        self.told(NodeRun {
            unique_id: id.clone(),
            status: outcome.status,
            timing: progress.timing,
            thread_id: thread_name(),
            execution_time: result.execution_time,
            adapter_response: outcome.adapter_response,
            message: outcome.message,
            failures,
            compiled: progress.compiled,
            relation_name: relation_name.and_then(told_relation),
            batch_results: progress.batch_results,
            event: Arc::new(result),
        })
    }

    /// The result of a node that must not run.
    pub fn skipped(
        &self,
        id: &Id,
        info: Arc<NodeInfo>,
        position: Option<Position>,
        cause: Option<&Cause>,
    ) -> NodeRun {
        let node = self.job.compiler.manifest.node(id);
        let message = match cause {
            Some(Cause::Ephemeral(ephemeral)) => Some(format!(
                "Compilation Error in {id}, caused by compilation error in referenced ephemeral model {ephemeral}"
            )),
            Some(Cause::FailFast) => Some("Skipping due to fail_fast".to_owned()),
            _ => None,
        };
        let result = NodeResult {
            node: info,
            position,
            status: Status::Skipped,
            message: message.clone(),
            failures: None,
            failing_rows: None,
            adapter_response: Map::new(),
            execution_time: 0.0,
            started_at: None,
            finished_at: None,
            compiled_path: None,
            failures_relation: None,
            location: None,
            skipped_by_ephemeral: matches!(cause, Some(Cause::Ephemeral(_))),
        };
        self.told(NodeRun {
            unique_id: id.clone(),
            status: Status::Skipped,
            timing: Vec::new(),
            thread_id: thread_name(),
            execution_time: 0.0,
            adapter_response: Map::new(),
            message,
            failures: None,
            compiled: None,
            relation_name: node.and_then(told_relation),
            batch_results: None,
            event: Arc::new(result),
        })
    }

    fn told(&self, run: NodeRun) -> NodeRun {
        if self.job.action.changes() || run.status.is_failure() {
            self.job.compiler.shared.events.emit(Event::NodeFinished(run.event.clone()));
        }
        run
    }
}

/// A moment as statements compare it.
fn moment(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S%:z").to_string()
}

/// The relation that results name: as in dbt, none of seeds and functions.
fn told_relation(node: &Node) -> Option<String> {
    let told = !matches!(node.resource_type, ResourceType::Seed | ResourceType::Function);
    node.relation_name.clone().filter(|_| told)
}

/// What is told of a batch.
fn batch_event(progress: &Progress, position: Position, outcome: Outcome) -> NodeResult {
    NodeResult {
        node: progress.info.clone(),
        position: Some(position),
        status: outcome.status,
        message: outcome.message,
        failures: outcome.failures,
        failing_rows: None,
        adapter_response: outcome.adapter_response,
        execution_time: progress.timing.last().map_or(0.0, Timing::seconds),
        started_at: Some(progress.started_at),
        finished_at: Some(Utc::now()),
        compiled_path: None,
        failures_relation: None,
        location: None,
        skipped_by_ephemeral: false,
    }
}

fn outcome_of(done: &Materialized) -> Outcome {
    match &done.main {
        Some(StatementResult { response, .. }) => Outcome::of_response(response),
        None => Outcome::quiet(Status::Success),
    }
}

/// What came of a node that failed with an error.
pub fn failed(error: &Error) -> Outcome {
    let message = Some(error.to_string().trim_end().to_owned());
    Outcome { message, ..Outcome::quiet(Status::Error) }
}

/// Does a step and notes how long it took, whatever came of it.
pub fn timed<T>(name: &'static str, timing: &mut Vec<Timing>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started_at = Utc::now();
    let outcome = work();
    timing.push(Timing { name, started_at, completed_at: Utc::now() });
    outcome
}

/// The name of this thread, as dbt names its workers.
pub fn thread_name() -> String {
    std::thread::current().name().unwrap_or("MainThread").to_owned()
}
