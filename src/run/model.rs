//! One node, from its start to its result.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use super::materialize::{Materialized, materialize, materialize_as};
use super::one_scan::Scans;
use super::result::{NodeRun, Timing};
use super::scheduler::Cause;
use super::{Action, Job, failing_rows, failures, tests, unit_tests};
use crate::compile::Occasion;
use crate::error::{Error, Result};
use crate::events::{Event, NodeInfo, NodeResult, Position, Status};
use crate::flags::Severity;
use crate::jinja::context::StatementResult;
use crate::manifest::{Compiled, Id, Node, Resource, ResourceType};
use crate::parse::{is_microbatch, stores_failures};
use crate::warehouse::{Response, Session};

/// Runs nodes on one worker.
pub struct NodeRunner<'a, 'j> {
    pub job: &'a Job<'j>,
    scans: &'a Scans,
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
pub struct Progress {
    pub info: Arc<NodeInfo>,
    position: Option<Position>,
    clock: Instant,
    pub started_at: DateTime<Utc>,
    pub timing: Vec<Timing>,
    pub compiled: Option<Compiled>,
    /// The compiled file of a unit test, which as in dbt has no compiled code in artifacts.
    unit_test_path: Option<String>,
    /// Batches of a microbatch model, as artifacts have them.
    pub batch_results: Option<Json>,
}

impl<'a, 'j> NodeRunner<'a, 'j> {
    /// A runner for the nodes of a job.
    pub fn new(job: &'a Job<'j>, scans: &'a Scans) -> Self {
        NodeRunner { job, scans }
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

    /// Puts the node's comment on what a session runs.
    pub fn comment(&self, id: &Id, session: &Session) -> Result<()> {
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
            let done = self
                .scans
                .answering(&node, session, || materialize(&context, &node, session))
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
pub fn moment(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S%:z").to_string()
}

/// The relation that results name: as in dbt, none of seeds and functions.
fn told_relation(node: &Node) -> Option<String> {
    let told = !matches!(node.resource_type, ResourceType::Seed | ResourceType::Function);
    node.relation_name.clone().filter(|_| told)
}

/// What a materialization did, as a result.
pub fn outcome_of(done: &Materialized) -> Outcome {
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
