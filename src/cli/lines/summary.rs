//! The end of a run: what failed and why, what was warned about, and the counts.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Writer;
use super::nodes::finished_node;
use super::words::{GREEN, RED, YELLOW, fields, paint};
use crate::events::{Level, NodeInfo, NodeResult, Status, plural};

impl Writer<'_> {
    pub fn summary(&mut self, results: &[Arc<NodeResult>], interrupted: bool) {
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
        self.info(
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
            self.debug(error, |_| format!("  {message}"), || fields([("msg", json!(message))]));
            return;
        }
        self.blank();
        if result.status != Status::RuntimeError {
            self.line(
                ("RunResultFailure", "Z022"),
                Level::Error,
                |style| paint(style, RED, &titled("Failure", node)),
                || named_node(result),
            );
        }
        if message.is_empty() {
            let status = result.status.as_str();
            self.line(
                ("RunResultErrorNoMessage", "Z025"),
                Level::Error,
                |_| format!("  Status: {status}"),
                || in_group(result, [("status", json!(status))]),
            );
        } else {
            self.line(
                error,
                Level::Error,
                |_| format!("  {message}"),
                || in_group(result, [("msg", json!(message))]),
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
            |style| paint(style, YELLOW, &titled("Warning", &result.node)),
            || named_node(result),
        );
        self.line(
            ("RunResultWarningMessage", "Z046"),
            Level::Warn,
            |_| message.to_owned(),
            || fields([("msg", json!(message)), ("node_info", finished_node(result))]),
        );
        self.places(result);
    }

    /// Where to look: some failing rows, the compiled file, where the rows are kept, and last the place in the user's own file.
    fn places(&mut self, result: &NodeResult) {
        if let Some(rows) = &result.failing_rows {
            self.blank();
            let shown = rows.replace('\n', "\n  ");
            self.info(("Note", "Z050"), |_| format!("  {shown}"), || fields([("msg", json!(rows))]));
        }
        if let Some(path) = &result.compiled_path {
            self.blank();
            self.info(
                ("SQLCompiledPath", "Z026"),
                |_| format!("  compiled code at {path}"),
                || fields([("path", json!(path)), ("node_info", finished_node(result))]),
            );
        }
        if let Some(relation) = &result.failures_relation {
            let query = format!("select * from {relation}");
            let border = "-".repeat(query.chars().count());
            self.blank();
            self.info(
                ("CheckNodeTestFailure", "Z027"),
                |_| format!("  See test failures:\n  {border}\n  {query}\n  {border}"),
                || fields([("relation_name", json!(relation)), ("node_info", finished_node(result))]),
            );
        }
        if let Some(place) = &result.location {
            let shown = place.to_string();
            if !result.message.as_deref().is_some_and(|message| message.contains(&shown)) {
                self.info(("Note", "Z050"), |_| format!("  at {shown}"), || fields([("msg", json!(shown))]));
            }
        }
    }

    fn totals(&mut self, results: &[Arc<NodeResult>]) {
        let count = |test: fn(Status) -> bool| results.iter().filter(|result| test(result.status)).count();
        let pass = count(|status| matches!(status, Status::Success | Status::Pass));
        let warn = count(|status| status == Status::Warn);
        let error = count(Status::is_failure);
        let skip = count(|status| status == Status::Skipped);
        let noop = count(|status| status == Status::NoOp);
        let total = results.len();
        self.info(
            ("StatsLine", "Z023"),
            |_| format!("Done. PASS={pass} WARN={warn} ERROR={error} SKIP={skip} NO-OP={noop} TOTAL={total}"),
            || {
                let stats = json!({
                    "pass": pass, "warn": warn, "error": error, "skip": skip, "noop": noop, "total": total,
                });
                fields([("stats", stats)])
            },
        );
    }
}

fn titled(info: &str, node: &NodeInfo) -> String {
    format!("{info} in {} {} ({})", node.resource_type, node.name, node.original_file_path)
}

fn named_node(result: &NodeResult) -> Map<String, Value> {
    let node = &result.node;
    in_group(
        result,
        [
            ("resource_type", json!(node.resource_type)),
            ("node_name", json!(node.name)),
            ("path", json!(node.original_file_path)),
        ],
    )
}

/// The fields, with the node and its group, whom tools tell of failures.
fn in_group<const N: usize>(result: &NodeResult, own: [(&str, Value); N]) -> Map<String, Value> {
    let mut data = fields(own);
    data.insert("node_info".into(), finished_node(result));
    if let Some(group) = &result.node.group {
        data.insert("group".into(), group.clone());
    }
    data
}
