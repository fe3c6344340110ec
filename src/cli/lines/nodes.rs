//! Lines about nodes and hooks as they start and end.

use serde_json::{Map, Value, json};

use super::words::{GREEN, RED, YELLOW, dotted, dotted_cut, fields, paint, position_fields};
use super::{Name, Writer};
use crate::cli::logs::thread_name;
use crate::events::{Hook, Level, NodeInfo, NodeResult, Position, Progress, Status};

impl Writer<'_> {
    pub fn about_node(&mut self, event: Name, verb: &str, node: &NodeInfo) {
        self.debug(
            event,
            |_| format!("{verb} node {}", node.unique_id),
            || fields([("node_info", started_node(node))]),
        );
    }

    pub fn node_started(&mut self, node: &NodeInfo, position: Option<Position>) {
        self.about_node(("NodeStart", "Q024"), "Began running", node);
        let Some(position) = position else { return };
        self.info(
            ("LogStartLine", "Q011"),
            |style| dotted(style, &format!("START {}", description(node)), "RUN", Some(position), None),
            || {
                let mut data = position_fields(position, "index", "total");
                data.insert("description".into(), json!(description(node)));
                data.insert("node_info".into(), started_node(node));
                data
            },
        );
    }

    /// For the debug log: the end of each step, and what had to be tried again.
    pub fn node_progress(&mut self, node: &NodeInfo, progress: &Progress) {
        if progress.done < progress.total && progress.trouble.is_none() {
            return;
        }
        self.debug(
            ("NodeProgress", "R002"),
            |_| format!("{}: {}", node.unique_id, progress_words(progress)),
            || fields([("node_info", started_node(node)), ("msg", json!(progress_words(progress)))]),
        );
    }

    pub fn node_finished(&mut self, result: &NodeResult) {
        if let Some(position) = result.position {
            self.result_line(result, position);
        }
        let node = &result.node;
        self.debug(
            ("NodeFinished", "Q025"),
            |_| format!("Finished running node {}", node.unique_id),
            || {
                let mut outcome = fields([
                    ("status", json!(result.status.as_str())),
                    ("message", json!(result.message)),
                    ("execution_time", json!(result.execution_time)),
                    ("num_failures", json!(result.failures)),
                    ("adapter_response", json!(result.adapter_response)),
                    ("thread", json!(thread_name())),
                ]);
                outcome.retain(|_, value| !value.is_null());
                fields([("node_info", finished_node(result)), ("run_result", Value::Object(outcome))])
            },
        );
    }

    fn result_line(&mut self, result: &NodeResult, position: Position) {
        let said = outcome(result);
        let data = || {
            let node = &result.node;
            let mut data = position_fields(position, "index", "total");
            let status = match result.status {
                Status::Success => result.message.as_deref().unwrap_or("OK"),
                status => status.as_str(),
            };
            data.insert("status".into(), json!(status));
            data.insert("execution_time".into(), json!(result.execution_time));
            data.insert("node_info".into(), finished_node(result));
            data.insert("description".into(), json!(description(node)));
            match said.name {
                "LogTestResult" => {
                    data.insert("name".into(), json!(node.label));
                    data.insert("num_models".into(), json!(position.total));
                    data.insert("num_failures".into(), json!(result.failures.unwrap_or(0)));
                    if let Some(tested) = &node.attached_node {
                        data.insert("attached_node".into(), json!(tested));
                    }
                }
                "LogFreshnessResult" => {
                    let (source, table) = node.label.split_once('.').unwrap_or(("", &node.label));
                    data.insert("source_name".into(), json!(source));
                    data.insert("table_name".into(), json!(table));
                }
                "LogSeedResult" | "LogSnapshotResult" => {
                    data.insert("result_message".into(), json!(result.message));
                    data.insert("schema".into(), json!(node.schema));
                    data.insert("relation".into(), json!(node.alias));
                }
                "SkippingDetails" | "LogSkipBecauseError" => {
                    data.insert("resource_type".into(), json!(node.resource_type));
                    data.insert("schema".into(), json!(node.schema));
                    data.insert("node_name".into(), json!(node.name));
                }
                _ => {}
            }
            if let Some(group) = &node.group {
                data.insert("group".into(), group.clone());
            }
            data
        };
        let time = (result.status != Status::Skipped).then_some(result.execution_time);
        self.line(
            (said.name, said.code),
            said.level,
            |style| {
                let status = paint(style, said.color, &said.status);
                dotted(style, &said.message, &status, Some(position), time)
            },
            data,
        );
    }

    pub fn batch_started(&mut self, node: &NodeInfo, position: Position, label: &str) {
        self.info(
            ("LogStartBatch", "Q045"),
            |style| {
                format!("Batch {}", dotted(style, &format!("START {label}"), "RUN", Some(position), None))
            },
            || {
                let mut data = position_fields(position, "batch_index", "total_batches");
                data.insert("description".into(), json!(label));
                data.insert("node_info".into(), started_node(node));
                data
            },
        );
    }

    pub fn batch_finished(&mut self, position: Position, label: &str, result: &NodeResult) {
        let (info, color, status) = match result.status {
            Status::Error | Status::RuntimeError | Status::Fail => {
                ("ERROR creating", RED, "ERROR".to_owned())
            }
            Status::Skipped => ("SKIP", YELLOW, "SKIPPED".to_owned()),
            _ => ("OK created", GREEN, result.message.clone().unwrap_or_else(|| "OK".into())),
        };
        let level = if result.status.is_failure() { Level::Error } else { Level::Info };
        self.line(
            ("LogBatchResult", "Q046"),
            level,
            |style| {
                let status = paint(style, color, &status);
                let message = format!("{info} {label}");
                format!(
                    "Batch {}",
                    dotted(style, &message, &status, Some(position), Some(result.execution_time))
                )
            },
            || {
                let mut data = position_fields(position, "batch_index", "total_batches");
                data.insert("description".into(), json!(label));
                data.insert("status".into(), json!(status.to_lowercase()));
                data.insert("execution_time".into(), json!(result.execution_time));
                data.insert("node_info".into(), finished_node(result));
                data
            },
        );
        if let (true, Some(message)) = (result.status.is_failure(), &result.message) {
            self.line(
                ("GenericExceptionOnRun", "W004"),
                Level::Error,
                |_| format!("Failure in {label}\n  {message}"),
                || {
                    fields([
                        ("unique_id", json!(result.node.unique_id)),
                        ("exc", json!(message)),
                        ("node_info", finished_node(result)),
                    ])
                },
            );
        }
    }

    pub fn hook_started(&mut self, hook: &Hook) {
        self.info(
            ("LogHookStartLine", "Q032"),
            |style| dotted_cut(style, &format!("START hook: {}", hook.statement), "RUN", hook.position, None),
            || hook_fields(hook, started_node(&hook.node)),
        );
    }

    pub fn hook_finished(&mut self, hook: &Hook, status: Status, time: f64) {
        let (info, color) = match status {
            Status::Success | Status::Pass => ("OK", GREEN),
            Status::Skipped => ("SKIP", YELLOW),
            _ => ("ERROR", RED),
        };
        self.info(
            ("LogHookEndLine", "Q033"),
            |style| {
                let shown = paint(style, color, info);
                dotted_cut(
                    style,
                    &format!("{info} hook: {}", hook.statement),
                    &shown,
                    hook.position,
                    Some(time),
                )
            },
            || {
                let mut data = hook_fields(hook, node_info(&hook.node, status.as_str(), "", ""));
                data.insert("status".into(), json!(status.as_str()));
                data.insert("execution_time".into(), json!(time));
                data
            },
        );
    }
}

/// What a result line says, and how.
struct Outcome {
    name: &'static str,
    code: &'static str,
    level: Level,
    color: &'static str,
    message: String,
    status: String,
}

fn outcome(result: &NodeResult) -> Outcome {
    let node = &*result.node;
    let answer = || result.message.clone().unwrap_or_else(|| "OK".into());
    let label = &node.label;
    let error = result.status.is_failure();
    let level = if error { Level::Error } else { Level::Info };
    let make =
        |name, code, level, color, message, status| Outcome { name, code, level, color, message, status };
    match (node.resource_type.as_str(), result.status) {
        (_, Status::Skipped) if result.skipped_by_ephemeral => make(
            "LogSkipBecauseError",
            "Z034",
            Level::Error,
            RED,
            format!("SKIP relation {label} due to ephemeral model status 'error'"),
            "ERROR SKIP".into(),
        ),
        (kind, Status::Skipped) => {
            let message = match kind {
                "model" | "seed" | "snapshot" => format!("SKIP relation {}.{}", node.schema, node.name),
                kind => format!("SKIP {kind} {}", node.name),
            };
            make("SkippingDetails", "Q034", Level::Info, YELLOW, message, "SKIP".into())
        }
        (_, Status::NoOp) => {
            let message = format!("NO-OP {}", description(node));
            make("LogNodeNoOpResult", "Q019", Level::Info, YELLOW, message, "NO-OP".into())
        }
        ("test" | "unit_test", status) => {
            let failures = result.failures.unwrap_or(0);
            let (level, color, shown) = match status {
                Status::Pass | Status::Success => (Level::Info, GREEN, "PASS".to_owned()),
                Status::Warn => (Level::Warn, YELLOW, format!("WARN {failures}")),
                Status::Fail => (Level::Error, RED, format!("FAIL {failures}")),
                _ => (Level::Error, RED, "ERROR".to_owned()),
            };
            make("LogTestResult", "Q007", level, color, format!("{shown} {label}"), shown)
        }
        ("source", _) if node.materialized == "extraction" => {
            let (message, color, shown) = match error {
                true => (format!("ERROR extracting {label}"), RED, "ERROR".to_owned()),
                false => (format!("OK extracted {label}"), GREEN, answer()),
            };
            make("LogModelResult", "Q012", level, color, message, shown)
        }
        ("source", status) => {
            let (level, color, shown) = match status {
                Status::RuntimeError => (Level::Error, RED, "ERROR"),
                Status::Error => (Level::Error, RED, "ERROR STALE"),
                Status::Warn => (Level::Warn, YELLOW, "WARN"),
                _ => (Level::Info, GREEN, "PASS"),
            };
            let message = format!("{shown} freshness of {label}");
            make("LogFreshnessResult", "Q018", level, color, message, shown.into())
        }
        ("seed", _) if error => make(
            "LogSeedResult",
            "Q016",
            level,
            RED,
            format!("ERROR loading seed file {label}"),
            "ERROR".into(),
        ),
        ("seed", _) => {
            make("LogSeedResult", "Q016", level, GREEN, format!("OK loaded seed file {label}"), answer())
        }
        ("snapshot", _) if error => make(
            "LogSnapshotResult",
            "Q015",
            level,
            RED,
            format!("ERROR snapshotting {label}"),
            "ERROR".into(),
        ),
        ("snapshot", _) => {
            make("LogSnapshotResult", "Q015", level, GREEN, format!("OK snapshotted {label}"), answer())
        }
        ("function", _) => {
            let (info, color) = if error { ("ERROR creating", RED) } else { ("OK created", GREEN) };
            let status = result.status.as_str().to_uppercase();
            make("LogFunctionResult", "Q047", level, color, format!("{info} {}", description(node)), status)
        }
        (_, Status::PartialSuccess) => {
            let message = format!("PARTIALLY created {}", description(node));
            make("LogModelResult", "Q012", Level::Info, YELLOW, message, answer().to_uppercase())
        }
        _ if error => {
            let message = format!("ERROR creating {}", description(node));
            make("LogModelResult", "Q012", level, RED, message, "ERROR".into())
        }
        _ => make(
            "LogModelResult",
            "Q012",
            level,
            GREEN,
            format!("OK created {}", description(node)),
            answer(),
        ),
    }
}

/// `top tracks 340/1000 (429 Too Many Requests)`
pub fn progress_words(progress: &Progress) -> String {
    let Progress { step, done, total, trouble } = progress;
    let trouble = trouble.as_ref().map(|trouble| format!(" ({trouble})")).unwrap_or_default();
    if *total == 0 { format!("{step} {done}{trouble}") } else { format!("{step} {done}/{total}{trouble}") }
}

/// How a line names a node.
fn description(node: &NodeInfo) -> String {
    let label = &node.label;
    match node.resource_type.as_str() {
        "model" => {
            let kind =
                if node.incremental_strategy == "microbatch" { "microbatch" } else { &node.materialized };
            format!("{} {kind} model {label}", node.language)
        }
        "seed" => format!("seed file {label}"),
        "source" if node.materialized.is_empty() => format!("freshness of {label}"),
        "source" => format!("{} of {label}", node.materialized),
        "saved_query" => format!("saved query {label}"),
        kind => format!("{kind} {label}"),
    }
}

fn hook_fields(hook: &Hook, node: Value) -> Map<String, Value> {
    let mut data = position_fields(hook.position, "index", "total");
    data.insert("statement".into(), json!(hook.statement));
    data.insert("node_info".into(), node);
    data
}

fn started_node(node: &NodeInfo) -> Value {
    node_info(node, "started", &chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6f").to_string(), "")
}

pub fn finished_node(result: &NodeResult) -> Value {
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| {
        time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()).unwrap_or_default()
    };
    node_info(&result.node, result.status.as_str(), &time(result.started_at), &time(result.finished_at))
}

/// dbt's `node_info`.
pub fn node_info(node: &NodeInfo, status: &str, started_at: &str, finished_at: &str) -> Value {
    json!({
        "unique_id": node.unique_id,
        "resource_type": node.resource_type,
        "materialized": node.materialized,
        "node_name": node.name,
        "node_path": node.path,
        "node_checksum": node.checksum,
        "node_relation": {
            "database": node.database,
            "schema": node.schema,
            "alias": node.alias,
            "relation_name": node.relation_name,
        },
        "node_status": status,
        "node_started_at": started_at,
        "node_finished_at": finished_at,
        "meta": node.meta,
    })
}
