//! `on-run-start` and `on-run-end` (<https://docs.getdbt.com/reference/project-configs/on-run-start-on-run-end>).

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use indexmap::IndexSet;
use minijinja::Value;
use serde_json::{Map, json};

use super::model::failed;
use super::result::{NodeRun, Timing};
use super::{Job, info};
use crate::artifacts::result_json;
use crate::compile::Occasion;
use crate::error::{ErrorKind, Result};
use crate::events::{Event, Hook, NodeResult, Position, Status};
use crate::interrupt;
use crate::jinja;
use crate::jinja::context::{NodeObject, record, value};
use crate::manifest::{Compiled, Node, ResourceType};
use crate::warehouse::{Fetch, Session};

/// How dbt calls the thread and the connection of hooks.
const THREAD: &str = "main";
const CONNECTION: &str = "master";

/// Runs the hooks before everything else.
///
/// # Errors
/// If the text of one does not render. A statement that fails is in the results.
pub fn run_start(job: &Job, session: &Arc<Session>) -> Result<Vec<NodeRun>> {
    let occasion = Occasion { any_ref: true, ..Occasion::default() };
    let runs = run(job, session, "on-run-start", &occasion)?;
    if !runs.is_empty() {
        job.compiler.shared.events.emit(Event::Blank);
    }
    Ok(runs)
}

/// Runs the hooks after everything else, which see the results of nodes, and of hooks at the start that failed.
///
/// # Errors
/// If the text of one does not render. A statement that fails is in the results.
pub fn run_end(job: &Job, session: &Arc<Session>, done: &[NodeRun]) -> Result<Vec<NodeRun>> {
    if hooks_of(job, "on-run-end").is_empty() {
        return Ok(Vec::new());
    }
    job.compiler.shared.events.emit(Event::Blank);
    let mut occasion = Occasion { any_ref: true, ..Occasion::default() };
    let told = done.iter().filter(|run| run.is_told());
    let told = told.filter(|run| run.thread_id != THREAD || run.status == Status::Error);
    let results: Vec<Value> = told.map(|run| result_value(job, run)).collect();
    let mut schemas: IndexSet<String> = IndexSet::new();
    let mut database_schemas: IndexSet<(String, String)> = IndexSet::new();
    let built = |run: &&NodeRun| !matches!(run.status, Status::Error | Status::Fail | Status::Skipped);
    let built = done.iter().filter(built);
    for node in built.filter_map(|run| job.compiler.manifest.node(&run.unique_id)) {
        if node.resource_type.is_refable() && !node.is_ephemeral() {
            schemas.insert(node.schema.clone());
            database_schemas.insert((node.database.clone(), node.schema.clone()));
        }
    }
    let pairs = database_schemas
        .into_iter()
        .map(|(database, schema)| value::tuple(vec![Value::from(database), Value::from(schema)]));
    let names = [
        ("results", value::list(results)),
        ("schemas", value::list(schemas.into_iter().map(Value::from))),
        ("database_schemas", value::list(pairs)),
    ];
    occasion.values.extend(names.map(|(name, value)| (name.to_owned(), value)));
    run(job, session, "on-run-end", &occasion)
}

/// A result as hooks see it: the artifact's fields, and the node.
fn result_value(job: &Job, run: &NodeRun) -> Value {
    let mut fields: Vec<(String, Value)> = match result_json(run) {
        serde_json::Value::Object(fields) => {
            fields.into_iter().map(|(key, field)| (key, jinja::from_json(&field))).collect()
        }
        _ => Vec::new(),
    };
    for (key, field) in &mut fields {
        if key == "timing" {
            let steps = field.try_iter().into_iter().flatten().map(record);
            *field = value::list(steps.collect::<Vec<_>>());
        }
    }
    let node = job.compiler.manifest.node(&run.unique_id);
    let node = node.map_or(Value::from(()), |node| NodeObject::value(Arc::new(node.clone())));
    fields.push(("node".to_owned(), node));
    record(value::dict(fields))
}

fn hooks_of<'a>(job: &'a Job, hook_type: &str) -> Vec<&'a Node> {
    let is_hook = |node: &&Node| {
        let tags = node.config.get("tags").and_then(|tags| tags.as_array());
        node.resource_type == ResourceType::Operation
            && tags.is_some_and(|tags| tags.contains(&json!(hook_type)))
    };
    job.compiler.manifest.nodes.values().filter(is_hook).collect()
}

fn run(job: &Job, session: &Arc<Session>, hook_type: &str, occasion: &Occasion) -> Result<Vec<NodeRun>> {
    let hooks = hooks_of(job, hook_type);
    let total = hooks.len();
    let mut runs: Vec<NodeRun> = Vec::new();
    // Hooks at the end tidy up after a run; one that was interrupted is to end at once.
    for (index, node) in hooks.into_iter().enumerate() {
        let hook = Hook {
            node: info::node_info(&job.compiler.manifest, &node.unique_id),
            position: Position { index: index + 1, total },
            statement: format!("{}.{hook_type}.{index}", node.package_name),
        };
        let failed = runs.iter().any(|run| run.status.is_failure());
        let compiled = match failed || interrupt::asked() {
            true => None,
            false => match compile(job, session, node, occasion) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                compiled => Some(compiled),
            },
        };
        runs.push(run_one(job, session, node, hook, compiled));
    }
    Ok(runs)
}

fn compile(job: &Job, session: &Arc<Session>, node: &Node, occasion: &Occasion) -> Result<Compiled> {
    let shared = &job.compiler.shared;
    session.tell(&shared.events, CONNECTION);
    session.comment(shared.query_comment(CONNECTION, None)?);
    job.compiler.compile(&Arc::new(node.clone()), session, occasion)
}

fn run_one(
    job: &Job,
    session: &Arc<Session>,
    node: &Node,
    hook: Hook,
    compiled: Option<Result<Compiled>>,
) -> NodeRun {
    let events = &job.compiler.shared.events;
    let clock = Instant::now();
    let started_at = Utc::now();
    let skipped = compiled.is_none();
    let outcome = match compiled {
        Some(compiled) => {
            events.emit(Event::HookStarted(hook.clone()));
            compiled.and_then(|compiled| execute(session, node, &compiled))
        }
        None => Ok(()),
    };
    let status = match (&outcome, skipped) {
        (_, true) => Status::Skipped,
        (Ok(()), false) => Status::Success,
        (Err(_), false) => Status::Error,
    };
    let execution_time = clock.elapsed().as_secs_f64();
    events.emit(Event::HookFinished { hook: hook.clone(), status, execution_time });
    let error = outcome.err();
    let told = error.as_ref().and_then(|error| failed(error).message);
    let message = match &told {
        Some(told) => format!("{} failed, error:\n {told}", hook.statement),
        None if skipped => format!("{} skipped", hook.statement),
        None => format!("{} passed", hook.statement),
    };
    let result = NodeResult {
        node: hook.node,
        position: Some(hook.position),
        status,
        message: told,
        failures: None,
        adapter_response: Map::new(),
        execution_time,
        started_at: Some(started_at),
        finished_at: Some(Utc::now()),
        compiled_path: None,
        failures_relation: None,
        location: error.as_ref().and_then(|error| error.location().cloned()),
        skipped_by_ephemeral: false,
        failing_rows: None,
    };
    NodeRun {
        unique_id: node.unique_id.clone(),
        status,
        timing: vec![Timing { name: "execute", started_at, completed_at: Utc::now() }],
        thread_id: THREAD.to_owned(),
        execution_time,
        adapter_response: Map::new(),
        message: Some(message),
        failures: Some(i64::from(skipped || error.is_some())),
        compiled: None,
        relation_name: None,
        batch_results: None,
        event: Arc::new(result),
    }
}

fn execute(session: &Session, node: &Node, compiled: &Compiled) -> Result<()> {
    let sql = compiled.compiled_code.trim();
    if sql.is_empty() {
        return session.commit();
    }
    let done = session.execute(sql, true, Fetch::None).and_then(|_| session.commit());
    if done.is_err() {
        session.rollback()?;
    }
    done.map_err(|error| error.trace(format!("in {}", node.name)))
}
