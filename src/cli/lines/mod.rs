//! Events in words: every event becomes the log lines that dbt writes for it, with dbt's names, codes and fields,
//! because people, scripts and tools know them.

mod nodes;
mod summary;
mod words;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::cli::version::RBT_VERSION;
use crate::events::{Event, Level, NodeInfo, Note, Preview, Warning, warning_code};
use crate::flags::DBT_VERSION;

use nodes::node_info;
pub use nodes::progress_words;
use words::{YELLOW, fields, hours_minutes_seconds, paint};

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

/// dbt's name and code of an event.
type Name = (&'static str, &'static str);

type Fields = Map<String, Value>;

impl Writer<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::CommandStarted { program, settings } => self.command_started(program, settings),
            Event::AdapterRegistered { name, version } => self.adapter_registered(name, version),
            Event::Found { stats } => self.found(stats),
            Event::Concurrency { threads, target, nodes } => self.concurrency(*threads, target, *nodes),
            Event::NodeStarted { node, position } => self.node_started(node, *position),
            Event::NodeCompiling(node) => self.about_node(("NodeCompiling", "Q030"), "Began compiling", node),
            Event::NodeExecuting(node) => self.about_node(("NodeExecuting", "Q031"), "Began executing", node),
            Event::NodeProgress { node, progress } => self.node_progress(node, progress),
            Event::NodeFinished(result) => self.node_finished(result),
            Event::BatchStarted { node, position, label } => self.batch_started(node, *position, label),
            Event::BatchFinished { position, label, result } => self.batch_finished(*position, label, result),
            Event::HookStarted(hook) => self.hook_started(hook),
            Event::HookFinished { hook, status, execution_time } => {
                self.hook_finished(hook, *status, *execution_time)
            }
            Event::ConnectionReused { before, connection } => self.connection_reused(before, connection),
            Event::Statement { connection, sql } => self.statement(connection, sql),
            Event::StatementDone { connection, status, elapsed } => {
                self.statement_done(connection, status, *elapsed)
            }
            Event::Log { message, info, node } => self.log(message, *info, node.as_deref()),
            Event::Print { message } if self.style.print => self.print(message),
            Event::Print { .. } => {}
            Event::Listed { line } => self.print(line),
            Event::Shown(preview) => self.preview(("ShowNode", "Q041"), "Previewing", ":", "show", preview),
            Event::Compiled(preview) => {
                self.preview(("CompiledNode", "Q042"), "Compiled", " is:", "compiled", preview)
            }
            Event::Warning(warning) => self.warning(warning),
            Event::FinishedRunning { stats, elapsed } => self.finished_running(stats, *elapsed),
            Event::Summary { results, interrupted } => self.summary(results, *interrupted),
            Event::ArtifactWritten { kind, path } => self.artifact_written(kind, path),
            Event::CommandFailed { message } => self.command_failed(message),
            Event::CommandCompleted { command, success, elapsed, completed_at } => {
                self.command_completed(command, *success, *elapsed, *completed_at)
            }
            Event::Blank => self.blank(),
            Event::Note(note) => self.note(note),
        }
    }

    /// Hands out one line, if it is wanted; only then are its words and fields made.
    fn line(
        &mut self,
        (name, code): Name,
        level: Level,
        message: impl FnOnce(Style) -> String,
        data: impl FnOnce() -> Fields,
    ) {
        let bare = matches!(name, "PrintEvent" | "ShowNode" | "CompiledNode");
        if level < self.style.level && !bare {
            return;
        }
        let message = message(self.style);
        let data = if self.style.data { data() } else { Map::new() };
        (self.out)(&Line { name, code, level, bare, message, data });
    }

    fn info(&mut self, name: Name, message: impl FnOnce(Style) -> String, data: impl FnOnce() -> Fields) {
        self.line(name, Level::Info, message, data);
    }

    fn debug(&mut self, name: Name, message: impl FnOnce(Style) -> String, data: impl FnOnce() -> Fields) {
        self.line(name, Level::Debug, message, data);
    }

    fn blank(&mut self) {
        self.info(("Formatting", "Z017"), |_| String::new(), || fields([("msg", json!(""))]));
    }

    fn print(&mut self, message: &str) {
        self.info(("PrintEvent", "Z052"), |_| message.to_owned(), || fields([("msg", json!(message))]));
    }

    fn note(&mut self, note: &Note) {
        if matches!(note.name, "CacheAction" | "CacheDumpGraph") && !self.style.cache_events {
            return;
        }
        self.line((note.name, note.code), note.level, |_| note.message.clone(), || note.data.clone());
    }

    fn command_started(&mut self, program: &str, settings: &Fields) {
        let version = if program == "dbt" { DBT_VERSION } else { RBT_VERSION };
        self.info(
            ("MainReportVersion", "A001"),
            |_| format!("Running with {program}={version}"),
            || fields([("version", json!(format!("={version}"))), ("log_version", json!(3))]),
        );
        self.debug(
            ("MainReportArgs", "A002"),
            |_| format!("running {program} with arguments {}", Value::Object(settings.clone())),
            || {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let args = settings.iter().map(|(name, value)| (name.clone(), json!(text(value))));
                fields([("args", Value::Object(args.collect()))])
            },
        );
    }

    fn adapter_registered(&mut self, name: &str, version: &str) {
        self.info(
            ("AdapterRegistered", "E034"),
            |_| format!("Registered adapter: {name}={version}"),
            || fields([("adapter_name", json!(name)), ("adapter_version", json!(format!("={version}")))]),
        );
    }

    fn found(&mut self, stats: &str) {
        self.info(
            ("FoundStats", "W006"),
            |_| format!("Found {stats}"),
            || fields([("stat_line", json!(stats))]),
        );
    }

    fn concurrency(&mut self, threads: usize, target: &str, nodes: usize) {
        self.blank();
        self.info(
            ("ConcurrencyLine", "Q027"),
            |_| format!("Concurrency: {threads} threads (target='{target}')"),
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

    fn connection_reused(&mut self, before: &str, connection: &str) {
        self.debug(
            ("ConnectionReused", "E006"),
            |_| format!("Reusing the connection of {before} for {connection}"),
            || {
                let mut data = connection_fields(connection);
                data.insert("conn_name".into(), json!(connection));
                data.insert("orig_conn_name".into(), json!(before));
                data
            },
        );
    }

    fn statement(&mut self, connection: &str, sql: &str) {
        let shared = || {
            let mut data = connection_fields(connection);
            data.insert("conn_name".into(), json!(connection));
            data
        };
        self.debug(
            ("ConnectionUsed", "E015"),
            |_| format!("Using duckdb connection \"{connection}\""),
            || {
                let mut data = shared();
                data.insert("conn_type".into(), json!("duckdb"));
                data
            },
        );
        self.debug(
            ("SQLQuery", "E016"),
            |_| format!("On {connection}: {sql}"),
            || {
                let mut data = shared();
                data.insert("sql".into(), json!(sql));
                data
            },
        );
    }

    fn statement_done(&mut self, connection: &str, status: &str, elapsed: f64) {
        self.debug(
            ("SQLQueryStatus", "E017"),
            |_| format!("SQL status: {status} in {elapsed:.3} seconds"),
            || {
                let mut data = connection_fields(connection);
                data.insert("status".into(), json!(status));
                data.insert("elapsed".into(), json!(elapsed));
                data
            },
        );
    }

    fn log(&mut self, message: &str, info: bool, node: Option<&NodeInfo>) {
        let (name, level) = match info {
            true => (("JinjaLogInfo", "I062"), Level::Info),
            false => (("JinjaLogDebug", "I063"), Level::Debug),
        };
        self.line(
            name,
            level,
            |_| message.to_owned(),
            || {
                let mut data = fields([("msg", json!(message))]);
                if let Some(node) = node {
                    data.insert("node_info".into(), node_info(node, "None", "", ""));
                }
                data
            },
        );
    }

    fn preview(&mut self, name: Name, verb: &str, ending: &str, key: &str, preview: &Preview) {
        let message = |style: Style| match &preview.name {
            _ if preview.json => preview_json(key, preview),
            _ if style.quiet => preview.content.clone(),
            Some(name) => format!("{verb} node '{name}'{ending}\n{}", preview.content),
            None => format!("{verb} inline node{ending}\n{}", preview.content),
        };
        let content_key = if key == "show" { "preview" } else { "compiled" };
        self.info(name, message, || {
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
            |style| {
                let place =
                    warning.location.as_ref().map_or(String::new(), |place| format!("\n  --> {place}"));
                // What Jinja's warn() says is shown as its author wrote it; this other one dbt does not tag, either.
                if matches!(warning.code, "JinjaLogWarning" | "InvalidMacroAnnotation") {
                    return format!("{}{place}", warning.message);
                }
                let tag = paint(style, YELLOW, "WARNING");
                format!("[{tag}][{}]: {}{place}", warning.code, warning.message)
            },
            || {
                let mut data = fields([("msg", json!(warning.message))]);
                if let Some(place) = &warning.location {
                    data.insert("file".into(), json!(place.path));
                    data.insert("line".into(), json!(place.line));
                }
                data.extend(warning.data.clone());
                data
            },
        );
    }

    fn finished_running(&mut self, stats: &str, elapsed: f64) {
        let span = format!(" in {}", hours_minutes_seconds(elapsed));
        self.blank();
        self.info(
            ("FinishedRunningStats", "E047"),
            |_| format!("Finished running {stats}{span} ({elapsed:.2}s)."),
            || {
                fields([
                    ("stat_line", json!(stats)),
                    ("execution", json!(span)),
                    ("execution_time", json!(elapsed)),
                ])
            },
        );
    }

    fn artifact_written(&mut self, kind: &str, path: &str) {
        self.debug(
            ("ArtifactWritten", "P001"),
            |_| format!("Wrote artifact {kind} to {path}"),
            || fields([("artifact_type", json!(kind)), ("artifact_path", json!(path))]),
        );
    }

    fn command_failed(&mut self, message: &str) {
        self.line(
            ("MainEncounteredError", "Z002"),
            Level::Error,
            |_| format!("Encountered an error:\n{message}"),
            || fields([("exc", json!(message))]),
        );
    }

    fn command_completed(&mut self, command: &str, success: bool, elapsed: f64, at: DateTime<Utc>) {
        let outcome = if success { "succeeded" } else { "failed" };
        self.debug(
            ("CommandCompleted", "Q039"),
            |_| {
                format!(
                    "Command `{command}` {outcome} at {} after {elapsed:.2} seconds",
                    at.format("%H:%M:%S%.6f")
                )
            },
            || {
                fields([
                    ("command", json!(command)),
                    ("success", json!(success)),
                    ("elapsed", json!(elapsed)),
                    ("completed_at", json!(at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())),
                ])
            },
        );
    }
}

fn connection_fields(connection: &str) -> Fields {
    fields([("node_info", json!({"unique_id": connection, "node_name": connection}))])
}

fn preview_json(key: &str, preview: &Preview) -> String {
    let content = match key {
        "show" => serde_json::from_str(&preview.content).unwrap_or_else(|_| json!(preview.content)),
        _ => json!(preview.content),
    };
    let mut object = Map::new();
    if let Some(name) = &preview.name {
        object.insert("node".into(), json!(name));
    }
    object.insert(key.into(), content);
    format!("{:#}", Value::Object(object))
}

#[cfg(test)]
mod tests;
