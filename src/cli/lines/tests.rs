use std::sync::Arc;

use super::*;
use crate::error::Location;
use crate::events::{Hook, NodeResult, Position, Status};

const STYLE: Style = Style {
    level: Level::Info,
    color: false,
    width: 80,
    quiet: false,
    print: true,
    data: false,
    cache_events: false,
};

fn text(events: &[Event], style: Style) -> String {
    let mut text = String::new();
    for event in events {
        each_line(event, style, &mut |line| {
            text.push_str(if line.bare { "| " } else { ". " });
            text.push_str(&line.message);
            text.push('\n');
        });
    }
    text
}

fn node(resource_type: &str, materialized: &str, label: &str) -> Arc<NodeInfo> {
    let name = label.rsplit(['.', ':']).next().unwrap_or(label);
    Arc::new(NodeInfo {
        unique_id: format!("{resource_type}.demo.{name}"),
        name: name.into(),
        resource_type: resource_type.into(),
        materialized: materialized.into(),
        language: "sql".into(),
        label: label.into(),
        original_file_path: format!("models/{name}.sql"),
        path: format!("{name}.sql"),
        schema: "main".into(),
        alias: name.into(),
        ..NodeInfo::default()
    })
}

fn result(node: &Arc<NodeInfo>, index: usize, status: Status, message: Option<&str>) -> Arc<NodeResult> {
    Arc::new(NodeResult {
        node: node.clone(),
        position: Some(Position { index, total: 12 }),
        status,
        message: message.map(str::to_owned),
        failures: matches!(status, Status::Fail | Status::Warn).then_some(3),
        adapter_response: Map::new(),
        execution_time: 0.123,
        started_at: None,
        finished_at: None,
        compiled_path: None,
        failures_relation: None,
        location: None,
        skipped_by_ephemeral: false,
        failing_rows: None,
    })
}

fn nodes() -> Vec<(Arc<NodeInfo>, Status, Option<&'static str>)> {
    vec![
        (node("model", "table", "main.one"), Status::Success, Some("OK")),
        (
            node("model", "view", "main.bad"),
            Status::Error,
            Some("Runtime Error in model bad (models/bad.sql)"),
        ),
        (node("model", "incremental", "main.batches"), Status::PartialSuccess, Some("PARTIAL SUCCESS (2/3)")),
        (node("model", "view", "main.after"), Status::Skipped, None),
        (node("seed", "seed", "main.countries"), Status::Success, Some("INSERT 2")),
        (node("snapshot", "snapshot", "main.history"), Status::Success, Some("OK")),
        (node("test", "test", "unique_one_id"), Status::Pass, None),
        (
            node("test", "test", "not_null_one_id"),
            Status::Warn,
            Some("Got 3 results, configured to warn if != 0"),
        ),
        (node("unit_test", "unit", "one::adds_up"), Status::Fail, Some("actual differs from expected")),
        (node("source", "", "shop.orders"), Status::Error, None),
        (node("exposure", "", "dashboard"), Status::NoOp, None),
        (node("function", "", "main.area"), Status::Success, Some("OK")),
    ]
}

#[test]
fn nodes_have_lines() {
    let mut events = vec![Event::Concurrency { threads: 2, target: "dev".into(), nodes: 12 }];
    for (index, (node, status, message)) in nodes().into_iter().enumerate() {
        let position = Some(Position { index: index + 1, total: 12 });
        events.push(Event::NodeStarted { node: node.clone(), position });
        events.push(Event::NodeFinished(result(&node, index + 1, status, message)));
    }
    insta::assert_snapshot!(text(&events, STYLE));
}

#[test]
fn lines_are_as_wide_as_asked() {
    let node = node("model", "table", "main.a_model_with_quite_a_long_name");
    let events = [Event::NodeStarted { node, position: Some(Position { index: 1, total: 2 }) }];
    assert_eq!(
        text(&events, Style { width: 40, ..STYLE }),
        ". 1 of 2 START sql table model main.a_model_with_quite_a_long_name  [RUN]\n"
    );
    let hook = Hook {
        node: self::node("operation", "view", "demo-on-run-end-0"),
        position: Position { index: 1, total: 1 },
        statement: "demo.on-run-end.0 which is rather long".into(),
    };
    assert_eq!(
        text(&[Event::HookStarted(hook)], Style { width: 40, ..STYLE }),
        ". 1 of 1 START hook: demo.on-run-end.0 ... [RUN]\n"
    );
}

#[test]
fn a_run_ends_with_what_failed_and_where() {
    let mut results: Vec<_> = nodes()
        .into_iter()
        .filter(|(node, ..)| node.resource_type != "source")
        .map(|(node, status, message)| result(&node, 1, status, message))
        .collect();
    let failed = Arc::make_mut(&mut results[1]);
    failed.compiled_path = Some("target/compiled/demo/models/bad.sql".into());
    failed.location = Some(Location::new("models/bad.sql", 3, 8));
    let unit_test = Arc::make_mut(&mut results[8]);
    unit_test.failures_relation = Some("\"demo\".\"audit\".\"adds_up\"".into());
    let events = [
        Event::FinishedRunning { stats: "1 seed, 2 table models".into(), elapsed: 3725.5 },
        Event::Summary { results, interrupted: false },
    ];
    insta::assert_snapshot!(text(&events, STYLE));
    let well = [Event::Summary { results: Vec::new(), interrupted: false }];
    assert_eq!(
        text(&well, Style { color: true, ..STYLE }),
        ". \n. \x1b[32mCompleted successfully\x1b[0m\n. \n\
         . Done. PASS=0 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=0\n"
    );
}

#[test]
fn what_was_asked_for_is_shown_even_when_quiet() {
    let preview = |name: Option<&str>, json| Preview {
        name: name.map(str::to_owned),
        unique_id: String::new(),
        content: if json { r#"[{"a": 1}]"#.into() } else { "| a |\n| - |\n| 1 |".into() },
        json,
    };
    let events = [
        Event::note(Level::Info, "not asked for"),
        Event::Print { message: "printed".into() },
        Event::Listed { line: "demo.one".into() },
        Event::Shown(preview(Some("one"), false)),
        Event::Shown(preview(None, true)),
        Event::Compiled(Preview { content: "select 1".into(), ..preview(Some("one"), true) }),
    ];
    insta::assert_snapshot!(text(&events, Style { quiet: true, level: Level::Error, ..STYLE }));
    insta::assert_snapshot!(text(&events[3..4], STYLE));
}

#[test]
fn warnings_name_themselves() {
    let events = [
        Event::Warning(Warning::new(
            "NoNodesForSelectionCriteria",
            "The selection criterion 'x' does not match",
        )),
        Event::Warning(Warning::new("ConfigLogPathDeprecation", "old").at(Location::new(
            "dbt_project.yml",
            3,
            1,
        ))),
        Event::Warning(Warning::new("JinjaLogWarning", "from a macro")),
    ];
    insta::assert_snapshot!(text(&events, STYLE), @r"
    . [WARNING][NoNodesForSelectionCriteria]: The selection criterion 'x' does not match
    . [WARNING][ConfigLogPathDeprecation]: old
      --> dbt_project.yml:3:1
    . from a macro
    ");
}

#[test]
fn fields_are_those_of_dbt() {
    let style = Style { level: Level::Debug, data: true, ..STYLE };
    let (node, status, message) = nodes().swap_remove(7);
    let mut finished = result(&node, 8, status, message);
    Arc::make_mut(&mut finished).finished_at = Some("2024-05-01T10:00:00Z".parse().unwrap());
    let events = [
        Event::NodeFinished(finished.clone()),
        Event::Summary { results: vec![finished], interrupted: false },
    ];
    let mut json = Vec::new();
    for event in &events {
        each_line(event, style, &mut |line| {
            json.push(json!({"name": line.name, "code": line.code, "data": line.data}));
        });
    }
    // The thread of a test is not the same every time.
    let json = serde_json::to_string_pretty(&json).unwrap();
    let stable: Vec<_> = json.lines().filter(|line| !line.contains("\"thread\"")).collect();
    insta::assert_snapshot!(stable.join("\n"));
}
