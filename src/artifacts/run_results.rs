//! `run_results.json`.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{header, timestamp, write_json};
use crate::error::Result;
use crate::jinja::context::Shared;
use crate::run::{NodeRun, Timing};

/// How long a step took.
pub(super) fn timing_json(timing: &Timing) -> Json {
    json!({
        "name": timing.name,
        "started_at": timestamp(timing.started_at),
        "completed_at": timestamp(timing.completed_at),
    })
}

/// One node's result.
pub fn result_json(run: &NodeRun) -> Json {
    let timing: Vec<Json> = run.timing.iter().map(timing_json).collect();
    let compiled = run.compiled.as_ref();
    json!({
        "status": run.status.as_str(),
        "timing": timing,
        "thread_id": run.thread_id,
        "execution_time": run.execution_time,
        "adapter_response": run.adapter_response,
        "message": run.message,
        "failures": run.failures,
        "unique_id": &*run.unique_id,
        "compiled": compiled.map(|_| true),
        "compiled_code": compiled.map(|compiled| &compiled.compiled_code),
        "relation_name": run.relation_name,
        "batch_results": run.batch_results,
    })
}

/// Writes the results of a command. `elapsed` is in seconds.
pub fn write_run_results(path: &Path, runs: &[NodeRun], elapsed: f64, shared: &Arc<Shared>) -> Result<()> {
    let content = json!({
        "metadata": header(shared, "run-results/v6"),
        "results": runs.iter().map(result_json).collect::<Vec<_>>(),
        "elapsed_time": elapsed,
        "args": shared.flags.args(),
    });
    write_json(path, &content)
}
