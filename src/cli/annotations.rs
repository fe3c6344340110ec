//! Annotations for GitHub Actions: failures and warnings where the change is reviewed.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::events::{Event, NodeResult, Sink, Status};

/// Writes a workflow command for every failure and warning.
pub struct Annotations<W>(Mutex<W>);

impl<W: Write + Send> Annotations<W> {
    /// Annotations on this writer, which must be what the service reads.
    pub fn new(writer: W) -> Self {
        Annotations(Mutex::new(writer))
    }
}

impl<W: Write + Send> Sink for Annotations<W> {
    fn receive(&self, event: &Event) {
        let mut lines = Vec::new();
        match event {
            Event::Summary { results, .. } => {
                lines.extend(results.iter().filter_map(|result| of_result(result)))
            }
            Event::Warning(warning) => {
                let place =
                    warning.location.as_ref().map(|place| (place.path.display().to_string(), place.line));
                lines.push(command("warning", place, warning.code, &warning.message));
            }
            Event::CommandFailed { message } => lines.push(command("error", None, "rbt", message)),
            _ => return,
        }
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines {
            // Annotations are a service: if nobody reads them, the work goes on.
            let _ = writeln!(writer, "{line}");
        }
        let _ = writer.flush();
    }
}

fn of_result(result: &NodeResult) -> Option<String> {
    let kind = match result.status {
        Status::Warn => "warning",
        status if status.is_failure() => "error",
        _ => return None,
    };
    let node = &result.node;
    let place = match &result.location {
        Some(place) => (place.path.display().to_string(), place.line),
        None => (node.original_file_path.clone(), 0),
    };
    let title = format!("{} {}", node.resource_type, node.name);
    Some(command(kind, Some(place), &title, result.message.as_deref().unwrap_or(result.status.as_str())))
}

fn command(kind: &str, place: Option<(String, usize)>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let Some((path, line)) = place {
        properties.push(format!("file={}", escape_property(&path)));
        if line > 0 {
            properties.push(format!("line={line}"));
        }
    }
    properties.push(format!("title={}", escape_property(title)));
    format!("::{kind} {}::{}", properties.join(","), escape(message))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_commands_are_escaped() {
        let place = Some(("models/a,b.sql".to_owned(), 3));
        assert_eq!(
            command("error", place, "model a", "line one\n100%"),
            "::error file=models/a%2Cb.sql,line=3,title=model a::line one%0A100%25"
        );
    }
}
