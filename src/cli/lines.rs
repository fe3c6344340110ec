//! Events in words: every event becomes the log lines that dbt writes for it, with dbt's names, codes and fields,
//! because people, scripts and tools know them.

use serde_json::{Map, Value, json};

use crate::cli::version::RBT_VERSION;
use crate::error::Location;
use crate::events::{
    Event, Hook, Level, NodeInfo, NodeResult, Note, Position, Preview, Status, Warning, plural, warning_code,
};
use crate::flags::DBT_VERSION;

/// One line of a log (its message may hold several lines of text).
pub struct Line {
    /// dbt's event name.
    pub name: &'static str,
    /// dbt's event code.
    pub code: &'static str,
    pub level: Level,
    /// What was asked for, rather than told: shown as it is, even with `--quiet`.
    pub bare: bool,
    pub message: String,
    /// The fields of dbt's event; only filled for [`Style::data`].
    pub data: Map<String, Value>,
}

/// How lines are to be made.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The least severe lines that are wanted.
    pub level: Level,
    pub color: bool,
    /// Where the dots end.
    pub width: usize,
    /// Whether [`Preview`]s come without a heading.
    pub quiet: bool,
    /// Whether `print()` is heard.
    pub print: bool,
    /// Whether the fields of events are wanted.
    pub data: bool,
    /// Whether every change of the relation cache is wanted.
    pub cache_events: bool,
}

/// The lines of an event, each handed to `out` in turn.
pub fn each_line(event: &Event, style: Style, out: &mut dyn FnMut(&Line)) {
    Writer { style, out }.event(event);
}

struct Writer<'a> {
    style: Style,
    out: &'a mut dyn FnMut(&Line),
}

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const RESET: &str = "\x1b[0m";

impl Writer<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::CommandStarted { program, settings } => self.command_started(program, settings),
            Event::AdapterRegistered { name, version } => self.info(
                ("AdapterRegistered", "E034"),
                || format!("Registered adapter: {name}={version}"),
                || fields([("adapter_name", json!(name)), ("adapter_version", json!(format!("={version}")))]),
            ),
            Event::Found { stats } => self.info(
                ("FoundStats", "W006"),
                || format!("Found {stats}"),
                || fields([("stat_line", json!(stats))]),
            ),
            Event::Concurrency { threads, target, nodes } => {
                self.blank();
                self.info(
                    ("ConcurrencyLine", "Q027"),
                    || format!("Concurrency: {threads} threads (target='{target}')"),
                    || {
                        fields([
                            ("node_count", json!(nodes)),
                            ("num_threads", json!(threads)),
                            ("target_name", json!(target)),
                        ])
                    },
                );
                self.blank();
            }
            Event::NodeStarted { node, position } => self.node_started(node, *position),
            Event::NodeCompiling(node) => self.about_node(("NodeCompiling", "Q030"), "Began compiling", node),
            Event::NodeExecuting(node) => self.about_node(("NodeExecuting", "Q031"), "Began executing", node),
            Event::NodeFinished(result) => self.node_finished(result),
            Event::BatchStarted { node, position, label } => self.info_at(
                ("LogStartBatch", "Q045"),
                |style| {
                    format!(
                        "Batch {}",
                        dotted(style, &format!("START {label}"), "RUN", Some(*position), None)
                    )
                },
                || {
                    let mut data = position_fields(*position, "batch_index", "total_batches");
                    data.insert("description".into(), json!(label));
                    data.insert("node_info".into(), started_node(node));
                    data
                },
            ),
            Event::BatchFinished { position, label, result } => self.batch_finished(*position, label, result),
            Event::HookStarted(hook) => self.info_at(
                ("LogHookStartLine", "Q032"),
                |style| {
                    dotted_cut(style, &format!("START hook: {}", hook.statement), "RUN", hook.position, None)
                },
                || hook_fields(hook, started_node(&hook.node)),
            ),
            Event::HookFinished { hook, status, execution_time } => {
                self.hook_finished(hook, *status, *execution_time)
            }
            Event::Statement { connection, sql } => self.statement(connection, sql),
            Event::StatementDone { connection, status, elapsed } => self.debug(
                ("SQLQueryStatus", "E017"),
                || format!("SQL status: {status} in {elapsed:.3} seconds"),
                || {
                    fields([
                        ("status", json!(status)),
                        ("elapsed", json!(elapsed)),
                        ("node_info", json!({"unique_id": connection, "node_name": connection})),
                    ])
                },
            ),
            Event::Log { message, info, node } => {
                let (event, level) = match info {
                    true => (("JinjaLogInfo", "I062"), Level::Info),
                    false => (("JinjaLogDebug", "I063"), Level::Debug),
                };
                self.line(
                    event,
                    level,
                    false,
                    |_| message.clone(),
                    || {
                        let mut data = fields([("msg", json!(message))]);
                        if let Some(node) = node {
                            data.insert("node_info".into(), node_info(node, "None", "", ""));
                        }
                        data
                    },
                );
            }
            Event::Print { message } if self.style.print => self.print(message),
            Event::Print { .. } => {}
            Event::Listed { line } => self.print(line),
            Event::Shown(preview) => self.preview(("ShowNode", "Q041"), "Previewing", ":", "show", preview),
            Event::Compiled(preview) => {
                self.preview(("CompiledNode", "Q042"), "Compiled", " is:", "compiled", preview)
            }
            Event::Warning(warning) => self.warning(warning),
            Event::FinishedRunning { stats, elapsed } => {
                self.blank();
                let span = format!(" in {}", hours_minutes_seconds(*elapsed));
                self.info(
                    ("FinishedRunningStats", "E047"),
                    || format!("Finished running {stats}{span} ({elapsed:.2}s)."),
                    || {
                        fields([
                            ("stat_line", json!(stats)),
                            ("execution", json!(span)),
                            ("execution_time", json!(elapsed)),
                        ])
                    },
                );
            }
            Event::Summary { results, interrupted } => self.summary(results, *interrupted),
            Event::ArtifactWritten { kind, path } => self.debug(
                ("ArtifactWritten", "P001"),
                || format!("Wrote artifact {kind} to {path}"),
                || fields([("artifact_type", json!(kind)), ("artifact_path", json!(path))]),
            ),
            Event::CommandFailed { message } => self.line(
                ("MainEncounteredError", "Z002"),
                Level::Error,
                false,
                |_| format!("Encountered an error:\n{message}"),
                || fields([("exc", json!(message))]),
            ),
            Event::CommandCompleted { command, success, elapsed, completed_at } => {
                let outcome = if *success { "succeeded" } else { "failed" };
                let at = completed_at.format("%H:%M:%S%.6f");
                self.debug(
                    ("CommandCompleted", "Q039"),
                    || format!("Command `{command}` {outcome} at {at} after {elapsed:.2} seconds"),
                    || {
                        fields([
                            ("command", json!(command)),
                            ("success", json!(success)),
                            ("elapsed", json!(elapsed)),
                            (
                                "completed_at",
                                json!(completed_at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
                            ),
                        ])
                    },
                );
            }
            Event::Blank => self.blank(),
            Event::Note(note) => self.note(note),
        }
    }

    fn line(
        &mut self,
        (name, code): (&'static str, &'static str),
        level: Level,
        bare: bool,
        message: impl FnOnce(Style) -> String,
        data: impl FnOnce() -> Map<String, Value>,
    ) {
        if level < self.style.level && !bare {
            return;
        }
        let message = message(self.style);
        let data = if self.style.data { data() } else { Map::new() };
        (self.out)(&Line { name, code, level, bare, message, data });
    }

    fn info(
        &mut self,
        event: (&'static str, &'static str),
        message: impl FnOnce() -> String,
        data: impl FnOnce() -> Map<String, Value>,
    ) {
        self.line(event, Level::Info, false, |_| message(), data);
    }

    fn info_at(
        &mut self,
        event: (&'static str, &'static str),
        message: impl FnOnce(Style) -> String,
        data: impl FnOnce() -> Map<String, Value>,
    ) {
        self.line(event, Level::Info, false, message, data);
    }

    fn debug(
        &mut self,
        event: (&'static str, &'static str),
        message: impl FnOnce() -> String,
        data: impl FnOnce() -> Map<String, Value>,
    ) {
        self.line(event, Level::Debug, false, |_| message(), data);
    }

    fn blank(&mut self) {
        self.info(("Formatting", "Z017"), String::new, || fields([("msg", json!(""))]));
    }

    fn print(&mut self, message: &str) {
        let data = || fields([("msg", json!(message))]);
        self.line(("PrintEvent", "Z052"), Level::Info, true, |_| message.to_owned(), data);
    }

    fn note(&mut self, note: &Note) {
        if matches!(note.name, "CacheAction" | "CacheDumpGraph") && !self.style.cache_events {
            return;
        }
        self.line((note.name, note.code), note.level, false, |_| note.message.clone(), || note.data.clone());
    }

    fn command_started(&mut self, program: &str, settings: &Map<String, Value>) {
        let version = if program == "dbt" { DBT_VERSION } else { RBT_VERSION };
        self.info(
            ("MainReportVersion", "A001"),
            || format!("Running with {program}={version}"),
            || fields([("version", json!(format!("={version}"))), ("log_version", json!(3))]),
        );
        self.debug(
            ("MainReportArgs", "A002"),
            || format!("running {program} with arguments {}", Value::Object(settings.clone())),
            || fields([("args", Value::Object(settings.clone()))]),
        );
    }

    fn about_node(&mut self, event: (&'static str, &'static str), verb: &str, node: &NodeInfo) {
        self.debug(
            event,
            || format!("{verb} node {}", node.unique_id),
            || fields([("node_info", started_node(node))]),
        );
    }

    fn node_started(&mut self, node: &NodeInfo, position: Option<Position>) {
        self.about_node(("NodeStart", "Q024"), "Began running", node);
        let Some(position) = position else { return };
        self.info_at(
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

    fn node_finished(&mut self, result: &NodeResult) {
        if let Some(position) = result.position {
            self.result_line(result, position);
        }
        let node = &result.node;
        self.debug(
            ("NodeFinished", "Q025"),
            || format!("Finished running node {}", node.unique_id),
            || {
                let outcome = json!({
                    "status": result.status.as_str(),
                    "message": result.message,
                    "execution_time": result.execution_time,
                    "num_failures": result.failures,
                });
                fields([("node_info", finished_node(result)), ("run_result", outcome)])
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
            false,
            |style| {
                let status = paint(style, said.color, &said.status);
                dotted(style, &said.message, &status, Some(position), time)
            },
            data,
        );
    }

    fn batch_finished(&mut self, position: Position, label: &str, result: &NodeResult) {
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
            false,
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
    }

    fn hook_finished(&mut self, hook: &Hook, status: Status, time: f64) {
        let (info, color) = match status {
            Status::Success | Status::Pass => ("OK", GREEN),
            Status::Skipped => ("SKIP", YELLOW),
            _ => ("ERROR", RED),
        };
        self.info_at(
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

    fn statement(&mut self, connection: &str, sql: &str) {
        let connection_fields = || {
            fields([
                ("conn_name", json!(connection)),
                ("conn_type", json!("duckdb")),
                ("node_info", json!({"unique_id": connection, "node_name": connection})),
            ])
        };
        self.debug(
            ("ConnectionUsed", "E011"),
            || format!("Using duckdb connection \"{connection}\""),
            connection_fields,
        );
        self.debug(
            ("SQLQuery", "E016"),
            || format!("On {connection}: {sql}"),
            || {
                let mut data = connection_fields();
                data.insert("sql".into(), json!(sql));
                data
            },
        );
    }

    fn preview(
        &mut self,
        event: (&'static str, &'static str),
        verb: &str,
        ending: &str,
        key: &str,
        preview: &Preview,
    ) {
        let message = |style: Style| {
            if preview.json {
                let content = match key {
                    "show" => {
                        serde_json::from_str(&preview.content).unwrap_or_else(|_| json!(preview.content))
                    }
                    _ => json!(preview.content),
                };
                let mut object = Map::new();
                if let Some(name) = &preview.name {
                    object.insert("node".into(), json!(name));
                }
                object.insert(key.into(), content);
                return format!("{:#}", Value::Object(object));
            }
            match &preview.name {
                _ if style.quiet => preview.content.clone(),
                Some(name) => format!("{verb} node '{name}'{ending}\n{}", preview.content),
                None => format!("{verb} inline node{ending}\n{}", preview.content),
            }
        };
        let content_key = if key == "show" { "preview" } else { "compiled" };
        self.line(event, Level::Info, true, message, || {
            fields([
                ("node_name", json!(preview.name.as_deref().unwrap_or("inline_query"))),
                ("unique_id", json!(preview.unique_id)),
                ("is_inline", json!(preview.name.is_none())),
                ("output_format", json!(if preview.json { "json" } else { "text" })),
                (content_key, json!(preview.content)),
            ])
        });
    }

    fn warning(&mut self, warning: &Warning) {
        let code = warning_code(warning.code).unwrap_or("Z050");
        self.line(
            (warning.code, code),
            Level::Warn,
            false,
            |style| {
                let place =
                    warning.location.as_ref().map_or(String::new(), |place| format!("\n  --> {place}"));
                // What Jinja's warn() says is shown as its author wrote it.
                if warning.code == "JinjaLogWarning" {
                    return format!("{}{place}", warning.message);
                }
                let tag = paint(style, YELLOW, "WARNING");
                format!("[{tag}][{}]: {}{place}", warning.code, warning.message)
            },
            || {
                let mut data = fields([("msg", json!(warning.message))]);
                if let Some(Location { path, line, .. }) = &warning.location {
                    data.insert("file".into(), json!(path));
                    data.insert("line".into(), json!(line));
                }
                data.extend(warning.data.clone());
                data
            },
        );
    }

    fn summary(&mut self, results: &[std::sync::Arc<NodeResult>], interrupted: bool) {
        let is_error = |result: &NodeResult| match result.status {
            Status::Error | Status::Fail | Status::RuntimeError => true,
            Status::Skipped => result.message.is_some() && result.node.resource_type != "exposure",
            _ => false,
        };
        let errors: Vec<_> = results.iter().filter(|result| is_error(result)).collect();
        let warnings: Vec<_> = results.iter().filter(|result| result.status == Status::Warn).collect();
        let partial = results.iter().filter(|result| result.status == Status::PartialSuccess).count();

        self.blank();
        self.end_of_run(errors.len(), warnings.len(), partial, interrupted);
        for result in errors {
            self.failure(result);
        }
        for result in warnings {
            self.run_warning(result);
        }
        self.blank();
        self.totals(results);
    }

    fn end_of_run(&mut self, errors: usize, warnings: usize, partial: usize, interrupted: bool) {
        let and_warnings = plural(warnings, "warning");
        let partial_words = if partial == 1 {
            "1 partial success".to_owned()
        } else {
            format!("{partial} partial successes")
        };
        let (color, message) = if interrupted {
            (YELLOW, "Exited because of keyboard interrupt".to_owned())
        } else if errors > 0 {
            let errors = plural(errors, "error");
            (RED, format!("Completed with {errors}, {partial_words}, and {and_warnings}:"))
        } else if partial > 0 {
            (YELLOW, format!("Completed with {partial_words} and {and_warnings}"))
        } else if warnings > 0 {
            (YELLOW, format!("Completed with {and_warnings}:"))
        } else {
            (GREEN, "Completed successfully".to_owned())
        };
        self.info_at(
            ("EndOfRunSummary", "Z030"),
            |style| paint(style, color, &message),
            || {
                fields([
                    ("num_errors", json!(errors)),
                    ("num_warnings", json!(warnings)),
                    ("num_partial_success", json!(partial)),
                    ("keyboard_interrupt", json!(interrupted)),
                ])
            },
        );
    }

    /// A failed node: what failed, why, where.
    fn failure(&mut self, result: &NodeResult) {
        let node = &result.node;
        let message = result.message.as_deref().unwrap_or_default();
        let error = ("RunResultError", "Z024");
        if result.status == Status::Skipped {
            self.debug(error, || format!("  {message}"), || fields([("msg", json!(message))]));
            return;
        }
        self.blank();
        if result.status != Status::RuntimeError {
            self.line(
                ("RunResultFailure", "Z022"),
                Level::Error,
                false,
                |style| paint(style, RED, &titled("Failure", node)),
                || named_node(result),
            );
        }
        if message.is_empty() {
            let status = result.status.as_str();
            self.line(
                ("RunResultErrorNoMessage", "Z025"),
                Level::Error,
                false,
                |_| format!("  Status: {status}"),
                || fields([("status", json!(status)), ("node_info", finished_node(result))]),
            );
        } else {
            self.line(
                error,
                Level::Error,
                false,
                |_| format!("  {message}"),
                || fields([("msg", json!(message)), ("node_info", finished_node(result))]),
            );
        }
        self.places(result);
    }

    fn run_warning(&mut self, result: &NodeResult) {
        let message = result.message.as_deref().unwrap_or_default();
        self.blank();
        self.line(
            ("RunResultWarning", "Z021"),
            Level::Warn,
            false,
            |style| paint(style, YELLOW, &titled("Warning", &result.node)),
            || named_node(result),
        );
        self.line(
            ("RunResultWarningMessage", "Z046"),
            Level::Warn,
            false,
            |_| message.to_owned(),
            || fields([("msg", json!(message)), ("node_info", finished_node(result))]),
        );
        self.places(result);
    }

    /// Where to look: the compiled file, the failing rows, and last the place in the user's own file.
    fn places(&mut self, result: &NodeResult) {
        if let Some(path) = &result.compiled_path {
            self.blank();
            self.info(
                ("SQLCompiledPath", "Z026"),
                || format!("  compiled code at {path}"),
                || fields([("path", json!(path)), ("node_info", finished_node(result))]),
            );
        }
        if let Some(relation) = &result.failures_relation {
            let query = format!("select * from {relation}");
            let border = "-".repeat(query.chars().count());
            self.blank();
            self.info(
                ("CheckNodeTestFailure", "Z027"),
                || format!("  See test failures:\n  {border}\n  {query}\n  {border}"),
                || fields([("relation_name", json!(relation)), ("node_info", finished_node(result))]),
            );
        }
        if let Some(place) = &result.location {
            let shown = place.to_string();
            if !result.message.as_deref().is_some_and(|message| message.contains(&shown)) {
                self.info(("Note", "Z050"), || format!("  at {shown}"), || fields([("msg", json!(shown))]));
            }
        }
    }

    fn totals(&mut self, results: &[std::sync::Arc<NodeResult>]) {
        let count = |test: fn(Status) -> bool| results.iter().filter(|result| test(result.status)).count();
        let pass = count(|status| matches!(status, Status::Success | Status::Pass));
        let warn = count(|status| status == Status::Warn);
        let error = count(Status::is_failure);
        let skip = count(|status| status == Status::Skipped);
        let noop = count(|status| status == Status::NoOp);
        let total = results.len();
        self.info(
            ("StatsLine", "Z023"),
            || format!("Done. PASS={pass} WARN={warn} ERROR={error} SKIP={skip} NO-OP={noop} TOTAL={total}"),
            || {
                let stats = json!({
                    "pass": pass, "warn": warn, "error": error, "skip": skip, "noop": noop, "total": total,
                });
                fields([("stats", stats)])
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
            let what = if matches!(kind, "model" | "seed" | "snapshot") { "relation" } else { kind };
            let message = format!("SKIP {what} {label}");
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

/// How a line names a node.
fn description(node: &NodeInfo) -> String {
    let label = &node.label;
    match node.resource_type.as_str() {
        "model" => format!("{} {} model {label}", node.language, node.materialized),
        "seed" => format!("seed file {label}"),
        "source" => format!("freshness of {label}"),
        kind => format!("{kind} {label}"),
    }
}

fn titled(info: &str, node: &NodeInfo) -> String {
    format!("{info} in {} {} ({})", node.resource_type, node.name, node.original_file_path)
}

/// `1 of 5 message ........ [status in 0.10s]`
fn dotted(
    style: Style,
    message: &str,
    status: &str,
    position: Option<Position>,
    time: Option<f64>,
) -> String {
    let mut line = match position {
        Some(Position { index, total }) => format!("{index} of {total} {message} "),
        None => format!("{message} "),
    };
    let length = line.chars().count();
    line.extend(std::iter::repeat_n('.', style.width.saturating_sub(length)));
    finish(line, status, time)
}

/// The same, cut where it would be too long.
fn dotted_cut(style: Style, message: &str, status: &str, position: Position, time: Option<f64>) -> String {
    let Position { index, total } = position;
    let mut line = format!("{index} of {total} {message} ");
    let length = line.chars().count();
    let room = style.width.saturating_sub(3);
    if length > room {
        line = line.chars().take(room).collect();
        line.push_str("...");
    } else {
        line.extend(std::iter::repeat_n('.', style.width.saturating_sub(length)));
    }
    finish(line, status, time)
}

fn finish(mut line: String, status: &str, time: Option<f64>) -> String {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = match time {
        Some(time) => write!(line, " [{status} in {time:.2}s]"),
        None => write!(line, " [{status}]"),
    };
    line
}

fn paint(style: Style, color: &str, text: &str) -> String {
    if style.color { format!("{color}{text}{RESET}") } else { text.to_owned() }
}

fn hours_minutes_seconds(elapsed: f64) -> String {
    let minutes = (elapsed / 60.0).floor();
    let hours = (minutes / 60.0).floor();
    format!(
        "{hours:.0} hours {:.0} minutes and {:.2} seconds",
        minutes - hours * 60.0,
        elapsed - minutes * 60.0
    )
}

fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn position_fields(position: Position, index: &str, total: &str) -> Map<String, Value> {
    fields([(index, json!(position.index)), (total, json!(position.total))])
}

fn hook_fields(hook: &Hook, node: Value) -> Map<String, Value> {
    let mut data = position_fields(hook.position, "index", "total");
    data.insert("statement".into(), json!(hook.statement));
    data.insert("node_info".into(), node);
    data
}

fn named_node(result: &NodeResult) -> Map<String, Value> {
    let node = &result.node;
    let mut data = fields([
        ("resource_type", json!(node.resource_type)),
        ("node_name", json!(node.name)),
        ("path", json!(node.original_file_path)),
        ("node_info", finished_node(result)),
    ]);
    if let Some(group) = &node.group {
        data.insert("group".into(), group.clone());
    }
    data
}

fn started_node(node: &NodeInfo) -> Value {
    node_info(node, "started", &chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6f").to_string(), "")
}

fn finished_node(result: &NodeResult) -> Value {
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| {
        time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()).unwrap_or_default()
    };
    node_info(&result.node, result.status.as_str(), &time(result.started_at), &time(result.finished_at))
}

/// dbt's `node_info`.
fn node_info(node: &NodeInfo, status: &str, started_at: &str, finished_at: &str) -> Value {
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
