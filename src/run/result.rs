//! What came of a node, as `run_results.json` has it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::error::Error;
use crate::events::{NodeInfo, NodeResult, Position, Status};
use crate::manifest::{Compiled, Id};

/// How long a step of a node took.
#[derive(Debug, Clone)]
pub struct Timing {
    /// `compile` or `execute`.
    pub name: &'static str,
    pub started_at: DateTime<Utc>,
    pub completed_at: DateTime<Utc>,
}

impl Timing {
    /// From its start to its end.
    pub fn seconds(&self) -> f64 {
        (self.completed_at - self.started_at).as_seconds_f64()
    }
}

/// One node's result.
#[derive(Debug, Clone)]
pub struct NodeRun {
    pub unique_id: Id,
    pub status: Status,
    pub timing: Vec<Timing>,
    pub thread_id: String,
    /// In seconds.
    pub execution_time: f64,
    pub adapter_response: Map<String, Json>,
    pub message: Option<String>,
    pub failures: Option<i64>,
    pub compiled: Option<Compiled>,
    pub relation_name: Option<String>,
    /// Batches of a microbatch model, as artifacts have them.
    pub batch_results: Option<Json>,
    /// The same for people.
    pub event: Arc<NodeResult>,
}

impl NodeRun {
    /// The result of something that stands in no graph: an operation, or SQL of the command line.
    pub fn outside(id: Id, status: Status, timing: Vec<Timing>, compiled: Option<Compiled>) -> Self {
        let execution_time = timing.iter().map(Timing::seconds).sum();
        let event = NodeResult {
            node: Arc::new(NodeInfo { unique_id: id.to_string(), ..NodeInfo::default() }),
            position: Some(Position { index: 1, total: 1 }),
            status,
            message: None,
            failures: None,
            adapter_response: Map::new(),
            execution_time,
            started_at: timing.first().map(|timing| timing.started_at),
            finished_at: timing.last().map(|timing| timing.completed_at),
            compiled_path: None,
            failures_relation: None,
            location: None,
            skipped_by_ephemeral: false,
            failing_rows: None,
        };
        NodeRun {
            unique_id: id,
            status,
            timing,
            thread_id: "MainThread".to_owned(),
            execution_time,
            adapter_response: Map::new(),
            message: None,
            failures: None,
            compiled,
            relation_name: None,
            batch_results: None,
            event: Arc::new(event),
        }
    }
}

impl NodeRun {
    /// Whether it is told of. An ephemeral model has no result of its own, except if it is at fault.
    pub fn is_told(&self) -> bool {
        self.event.position.is_some() || self.status != Status::Skipped
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    pub runs: Vec<NodeRun>,
    /// In seconds.
    pub elapsed: f64,
    pub interrupted: bool,
    /// What ended the run after its nodes: the text of a hook at the end that does not render.
    pub broken: Option<Error>,
}

impl Report {
    /// Whether nothing failed.
    pub fn succeeded(&self) -> bool {
        let failed = |run: &NodeRun| run.status.is_failure() || run.event.skipped_by_ephemeral;
        !self.interrupted && !self.runs.iter().any(failed)
    }
    /// What failed, as one error: for commands that are of no use when a node fails.
    pub fn error(&self) -> Option<Error> {
        let failed = self.runs.iter().filter(|run| run.status.is_failure());
        let messages: Vec<&str> = failed.filter_map(|run| run.message.as_deref()).collect();
        match (messages.is_empty(), self.succeeded()) {
            (false, _) => Some(Error::runtime(messages.join("\n\n"))),
            (true, false) => Some(Error::runtime("the command was stopped before its end")),
            (true, true) => None,
        }
    }
}
