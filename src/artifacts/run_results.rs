//! `run_results.json`.

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use serde_json::{Value as Json, json};

use super::{timestamp, write_json};
use crate::error::Result;
use crate::flags::DBT_VERSION;
use crate::jinja::context::{Shared, metadata_env_vars};
use crate::run::NodeRun;

/// One node's result.
pub fn result_json(run: &NodeRun) -> Json {
    let timing: Vec<Json> = run
        .timing
        .iter()
        .map(|timing| {
            json!({
                "name": timing.name,
                "started_at": timestamp(timing.started_at),
                "completed_at": timestamp(timing.completed_at),
            })
        })
        .collect();
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
    let env: serde_json::Map<String, Json> =
        metadata_env_vars().map(|(name, value)| (name, Json::from(value))).collect();
    let content = json!({
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
            "dbt_version": DBT_VERSION,
            "generated_at": timestamp(Utc::now()),
            "invocation_id": shared.invocation_id,
            "invocation_started_at": timestamp(shared.run_started_at),
            "env": env,
        },
        "results": runs.iter().map(result_json).collect::<Vec<_>>(),
        "elapsed_time": elapsed,
        "args": shared.flags.args(),
    });
    write_json(path, &content)
}
