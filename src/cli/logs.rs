//! Log lines on their way out: the three forms a line can have, and the sink that writes them.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Local, Timelike, Utc};
use serde_json::{Map, Value, json};

use crate::cli::lines::{Line, Style, each_line};
use crate::events::{Event, Level, Sink};

/// The form of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `12:00:00  message`, in UTC.
    Text,
    /// `12:00:00.000000 [info ] [MainThread]: message`, in local time.
    Debug,
    /// One JSON object a line.
    Json,
}

/// What all lines of an invocation share.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    pub id: String,
    /// Values of secret environment variables, which no line may show.
    pub secrets: Vec<String>,
    /// What `DBT_ENV_CUSTOM_ENV_…` variables add to JSON lines.
    pub extra: Map<String, Value>,
}

impl Invocation {
    /// An invocation in this environment.
    pub fn new(id: String, env: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut invocation = Invocation { id, ..Invocation::default() };
        for (name, value) in env {
            if name.starts_with("DBT_ENV_SECRET_") && !value.trim().is_empty() {
                invocation.secrets.push(value);
            } else if let Some(name) = name.strip_prefix("DBT_ENV_CUSTOM_ENV_") {
                invocation.extra.insert(name.into(), json!(value));
            }
        }
        invocation
    }

    /// The text without secrets.
    pub fn scrub(&self, mut text: String) -> String {
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "*****");
            }
        }
        text
    }
}

/// Writes the lines of events. The writer is flushed after errors, when the sink is dropped, and if someone is
/// watching, after every event but the lines of a list.
pub struct LogSink<W: Write + Send> {
    style: Style,
    form: Form,
    watched: bool,
    invocation: Arc<Invocation>,
    writer: Mutex<W>,
}

impl<W: Write + Send> LogSink<W> {
    /// A sink for lines in this style and form.
    pub fn new(writer: W, form: Form, style: Style, watched: bool, invocation: Arc<Invocation>) -> Self {
        let style = Style { data: form == Form::Json, ..style };
        LogSink { style, form, watched, invocation, writer: Mutex::new(writer) }
    }

    fn render(&self, event: &Event) -> (String, bool) {
        let mut text = String::new();
        let mut urgent = self.watched;
        let now = Utc::now();
        each_line(event, self.style, &mut |line| {
            urgent |= line.level == Level::Error;
            match self.form {
                Form::Text => write_text(&mut text, line, now),
                Form::Debug => write_debug(&mut text, line, now, &self.invocation),
                Form::Json => write_json(&mut text, line, now, &self.invocation),
            }
            text.push('\n');
        });
        (self.invocation.scrub(text), urgent)
    }
}

impl<W: Write + Send> Sink for LogSink<W> {
    fn receive(&self, event: &Event) {
        let (text, urgent) = self.render(event);
        let ended = matches!(event, Event::CommandCompleted { .. });
        // Nothing comes between the lines of a list, of which there may be many.
        let urgent = urgent && !matches!(event, Event::Listed { .. });
        if text.is_empty() && !ended {
            return;
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written is no reason to stop the work.
        let _ = writer.write_all(text.as_bytes());
        if urgent || ended {
            let _ = writer.flush();
        }
    }
}

fn write_text(text: &mut String, line: &Line, now: DateTime<Utc>) {
    if !line.bare {
        push_time(text, now.hour(), now.minute(), now.second());
        text.push_str("  ");
    }
    text.push_str(&line.message);
}

fn write_debug(text: &mut String, line: &Line, now: DateTime<Utc>, invocation: &Invocation) {
    let now = now.with_timezone(&Local);
    let mut time = String::with_capacity(15);
    push_time(&mut time, now.hour(), now.minute(), now.second());
    time.push('.');
    push_digits(&mut time, now.nanosecond() % 1_000_000_000 / 1000, 6);
    if line.name == "MainReportVersion" {
        let bar = "=".repeat(30);
        text.push_str(&format!("\n\n{bar} {time} | {} {bar}\n", invocation.id));
    }
    text.push_str(&time);
    text.push_str(" [");
    let level = level_word(line.level);
    text.push_str(level);
    text.push_str(&" "[..5 - level.len()]);
    text.push_str("] [");
    let thread = thread_name();
    let mut width = 0;
    for c in thread.chars().take(10) {
        text.push(c);
        width += 1;
    }
    text.extend(std::iter::repeat_n(' ', 10 - width));
    text.push_str("]: ");
    text.push_str(&line.message);
}

fn write_json(text: &mut String, line: &Line, now: DateTime<Utc>, invocation: &Invocation) {
    let object = json!({
        "data": line.data,
        "info": {
            "category": "",
            "code": line.code,
            "extra": invocation.extra,
            "invocation_id": invocation.id,
            "level": level_word(line.level),
            "msg": line.message,
            "name": line.name,
            "pid": std::process::id(),
            "thread": thread_name(),
            "ts": now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        },
    });
    text.push_str(&object.to_string());
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

/// The name of this thread, in dbt's words.
pub fn thread_name() -> String {
    match std::thread::current().name() {
        None | Some("main") => "MainThread".into(),
        Some(name) => name.into(),
    }
}

fn push_time(text: &mut String, hour: u32, minute: u32, second: u32) {
    push_digits(text, hour, 2);
    text.push(':');
    push_digits(text, minute, 2);
    text.push(':');
    push_digits(text, second, 2);
}

/// Exactly so many decimal digits, filled with zeros.
fn push_digits(text: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10u32.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{NodeInfo, NodeResult, Position, Status};

    const STYLE: Style = Style {
        level: Level::Debug,
        color: false,
        width: 80,
        quiet: false,
        print: true,
        data: false,
        cache_events: false,
    };

    fn invocation() -> Arc<Invocation> {
        let env = [("DBT_ENV_SECRET_KEY", "hush"), ("DBT_ENV_CUSTOM_ENV_TEAM", "data"), ("OTHER", "x")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Arc::new(Invocation::new("an-id".into(), env))
    }

    fn log(event: &Event, form: Form) -> String {
        let sink = LogSink::new(Vec::new(), form, STYLE, false, invocation());
        sink.receive(event);
        String::from_utf8(sink.writer.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn lines_have_their_form_and_no_secrets() {
        let event = Event::note(Level::Warn, "the key is hush");
        let text = log(&event, Form::Text);
        assert!(text.ends_with("  the key is *****\n") && text.len() == 8 + 2 + 17, "{text}");
        let debug = log(&event, Form::Debug);
        assert!(debug.contains(" [warn ] [") && debug.ends_with("]: the key is *****\n"), "{debug}");
        let json: Value = serde_json::from_str(&log(&event, Form::Json)).unwrap();
        assert_eq!(json["data"]["msg"], "the key is *****");
        assert_eq!(json["info"]["extra"]["TEAM"], "data");
        assert_eq!(json["info"]["name"], "Note");
        assert_eq!(json["info"]["invocation_id"], "an-id");
    }

    #[test]
    fn digits_are_filled() {
        let mut text = String::new();
        push_time(&mut text, 7, 0, 59);
        push_digits(&mut text, 120, 6);
        assert_eq!(text, "07:00:59000120");
    }

    /// What 30,000 nodes cost the console and the log file together; run with `--release -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn many_nodes_cost_little() {
        let node = Arc::new(NodeInfo {
            unique_id: "model.demo.a_model_of_usual_length".into(),
            resource_type: "model".into(),
            materialized: "table".into(),
            language: "sql".into(),
            label: "analytics.a_model_of_usual_length".into(),
            ..NodeInfo::default()
        });
        let position = Some(Position { index: 12345, total: 30000 });
        let result = Arc::new(NodeResult {
            node: node.clone(),
            position,
            status: Status::Success,
            message: Some("OK".into()),
            failures: None,
            adapter_response: Map::new(),
            execution_time: 0.1,
            started_at: None,
            finished_at: None,
            compiled_path: None,
            failures_relation: None,
            location: None,
            skipped_by_ephemeral: false,
            failing_rows: None,
        });
        let file = |name: &str| std::fs::File::create(std::env::temp_dir().join(name)).unwrap();
        let console = Style { level: Level::Info, ..STYLE };
        let buffered = std::io::BufWriter::new;
        let sinks: [Box<dyn Sink>; 2] = [
            Box::new(LogSink::new(buffered(file("rbt-console")), Form::Text, console, true, invocation())),
            Box::new(LogSink::new(buffered(file("rbt-log")), Form::Debug, STYLE, false, invocation())),
        ];
        for (name, sink) in ["console, flushed", "log file"].iter().zip(&sinks) {
            let start = std::time::Instant::now();
            for _ in 0..30_000 {
                sink.receive(&Event::NodeStarted { node: node.clone(), position });
                sink.receive(&Event::NodeFinished(result.clone()));
            }
            println!("{name}: {:?} for 30,000 nodes", start.elapsed());
        }
    }
}
