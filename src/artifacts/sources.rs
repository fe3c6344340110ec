//! `sources.json`: how fresh sources are.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::{header, write_json};
use crate::error::Result;
use crate::jinja::context::Shared;
use crate::run::FreshnessRun;

fn result_json(run: &FreshnessRun) -> Json {
    let Some(measured) = &run.measured else {
        return json!({ "unique_id": &*run.unique_id, "error": run.message, "status": "runtime error" });
    };
    let timing: Vec<Json> = run.timing.iter().map(super::run_results::timing_json).collect();
    json!({
        "unique_id": &*run.unique_id,
        "max_loaded_at": aware(measured.max_loaded_at),
        "snapshotted_at": aware(measured.snapshotted_at),
        "max_loaded_at_time_ago_in_s": measured.age(),
        "status": run.status.as_str(),
        "criteria": run.criteria,
        "adapter_response": run.adapter_response,
        "timing": timing,
        "thread_id": run.thread_id,
        "execution_time": run.execution_time,
    })
}

/// A moment with its zone, as Python writes it: a fraction of a second only if there is one.
fn aware(moment: DateTime<Utc>) -> String {
    let format = if moment.timestamp_subsec_micros() == 0 {
        "%Y-%m-%dT%H:%M:%S+00:00"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f+00:00"
    };
    moment.format(format).to_string()
}

/// Writes the results of `source freshness`. `elapsed` is in seconds.
pub fn write_sources(path: &Path, runs: &[FreshnessRun], elapsed: f64, shared: &Arc<Shared>) -> Result<()> {
    let content = json!({
        "metadata": header(shared, "sources/v3"),
        "results": runs.iter().map(result_json).collect::<Vec<_>>(),
        "elapsed_time": elapsed,
    });
    write_json(path, &content)
}
