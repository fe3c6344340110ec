//! One node, from its start to its result.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use super::materialize::{Materialized, materialize};
use super::result::{NodeRun, Timing};
use super::scheduler::Cause;
use super::{Action, Job, failures, tests, unit_tests};
use crate::compile::Occasion;
use crate::error::{Error, Result};
use crate::events::{Event, NodeInfo, NodeResult, Position, Status};
use crate::jinja::context::StatementResult;
use crate::flags::Severity;
use crate::manifest::{Compiled, Id, Node, Resource, ResourceType};
use crate::parse::stores_failures;
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
    pub adapter_response: Map<String, Json>,
}

impl Outcome {
    /// A success with the warehouse's answer.
    pub fn of_response(response: &Response) -> Self {
        Outcome {
            status: Status::Success,
            message: Some(response.message.clone()),
            failures: None,
            adapter_response: response_fields(response),
        }
    }

    /// A success without an answer.
    fn quiet(status: Status) -> Self {
        Outcome { status, message: None, failures: None, adapter_response: Map::new() }
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
        };
        if position.is_some() && self.job.action == Action::Execute {
            events.emit(Event::NodeStarted { node: progress.info.clone(), position });
        }
        let outcome = self.work(id, session, &mut progress);
        if position.is_none() && outcome.is_ok() {
            return None;
        }
        Some(self.finish(id, progress, outcome))
    }

    fn work(&self, id: &Id, session: &Arc<Session>, progress: &mut Progress) -> Result<Outcome> {
        let manifest = &self.job.compiler.manifest;
        match manifest.resource(id) {
            Some(Resource::Node(node)) => self.work_node(node, session, progress),
            Some(Resource::UnitTest(test)) if self.job.action == Action::Execute => {
                let work = || unit_tests::run(&self.job.compiler, test, session);
                timed("execute", &mut progress.timing, work)
            }
            _ => Ok(Outcome::quiet(Status::NoOp)),
        }
    }

    fn work_node(&self, node: &Node, session: &Arc<Session>, progress: &mut Progress) -> Result<Outcome> {
        let compiler = &self.job.compiler;
        let occasion = Occasion::default();
        let mut node = Arc::new(node.clone());
        let compiled =
            timed("compile", &mut progress.timing, || compiler.compile(&node, session, &occasion))?;
        if node.resource_type != ResourceType::Seed {
            progress.compiled = Some(compiled.clone());
            Arc::make_mut(&mut node).compiled = Some(Box::new(compiled));
        }
        if self.job.action == Action::Compile || node.is_ephemeral() || node.resource_type == ResourceType::Analysis {
            let outcome = Outcome::quiet(Status::Success);
            return timed("execute", &mut progress.timing, || Ok(outcome));
        }
        let work = || {
            let context = compiler.context(&node, session, &occasion);
            let done = materialize(&context, &node, session)
                .map_err(|error| failures::explain(error, &node, compiler.target()))?;
            match node.resource_type {
                ResourceType::Test => {
                    let warnings_fail = compiler.shared.events.severity("LogTestResult") == Severity::Error;
                    tests::judge(&node, &done, warnings_fail)
                }
                _ => Ok(outcome_of(&done)),
            }
        };
        timed("execute", &mut progress.timing, work)
    }

    fn finish(&self, id: &Id, progress: Progress, outcome: Result<Outcome>) -> NodeRun {
        let node = self.job.compiler.manifest.node(id);
        let location = outcome.as_ref().err().and_then(|error| error.location().cloned());
        let outcome = outcome.unwrap_or_else(|error| failed(&error));
        let keeps_rows = node.is_some_and(stores_failures);
        let result = NodeResult {
            node: progress.info,
            position: progress.position,
            status: outcome.status,
            message: outcome.message.clone(),
            failures: outcome.failures,
            adapter_response: outcome.adapter_response.clone(),
            execution_time: progress.clock.elapsed().as_secs_f64(),
            started_at: Some(progress.started_at),
            finished_at: Some(Utc::now()),
            compiled_path: progress.compiled.as_ref().and_then(|compiled| compiled.compiled_path.clone()),
            failures_relation: node.filter(|_| keeps_rows).and_then(|node| node.relation_name.clone()),
            location,
            skipped_by_ephemeral: false,
        };
        let relation_name = node.filter(|node| node.test.is_none() || keeps_rows);
        self.told(NodeRun {
            unique_id: id.clone(),
            status: outcome.status,
            timing: progress.timing,
            thread_id: thread_name(),
            execution_time: result.execution_time,
            adapter_response: outcome.adapter_response,
            message: outcome.message,
            failures: outcome.failures,
            compiled: progress.compiled,
            relation_name: relation_name.and_then(|node| node.relation_name.clone()),
            batch_results: None,
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
        let message = cause.filter(|cause| cause.ephemeral).map(|cause| {
            format!(
                "Compilation Error in {id}, caused by compilation error in referenced ephemeral model {}",
                cause.id
            )
        });
        let result = NodeResult {
            node: info,
            position,
            status: Status::Skipped,
            message: message.clone(),
            failures: None,
            adapter_response: Map::new(),
            execution_time: 0.0,
            started_at: None,
            finished_at: None,
            compiled_path: None,
            failures_relation: None,
            location: None,
            skipped_by_ephemeral: message.is_some(),
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
            relation_name: node.and_then(|node| node.relation_name.clone()),
            batch_results: None,
            event: Arc::new(result),
        })
    }

    fn told(&self, run: NodeRun) -> NodeRun {
        if self.job.action == Action::Execute || run.status.is_failure() {
            self.job.compiler.shared.events.emit(Event::NodeFinished(run.event.clone()));
        }
        run
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
    Outcome {
        status: Status::Error,
        message: Some(error.to_string().trim_end().to_owned()),
        failures: None,
        adapter_response: Map::new(),
    }
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
