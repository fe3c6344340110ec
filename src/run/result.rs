//! What came of a node, as `run_results.json` has it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::events::{NodeResult, Status};
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

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    pub runs: Vec<NodeRun>,
    /// In seconds.
    pub elapsed: f64,
    pub interrupted: bool,
}

impl Report {
    /// Whether nothing failed.
    pub fn succeeded(&self) -> bool {
        let failed = |run: &NodeRun| run.status.is_failure() || run.event.skipped_by_ephemeral;
        !self.interrupted && !self.runs.iter().any(failed)
    }
}
