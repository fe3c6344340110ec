//! What is told in `logs/dbt.log` and on standard output, for machines.

use serde_json::{Value as Json, json};

use crate::support::Project;

/// A model in a group, with a test that fails and one that warns; a hook on either side.
fn failing() -> Project {
    let project = Project::new();
    project
        .config(
            "on-run-start: select 1\non-run-end: \"{% for r in results if r.node.resource_type == 'model' %}{{ log(r.to_dict()['unique_id'], info=True) }}{% endfor %}\"")
        .model("a", "select 1 as id, null as name")
        .yaml(
            "
            groups: [{name: sales, owner: {name: Ann, email: [a@shop.test, b@shop.test]}}]
            models:
              - name: a
                config: {group: sales}
                columns:
                  - {name: id, data_tests: [{not_null: {config: {severity: warn}}}]}
                  - {name: name, data_tests: [not_null]}
            ",
        );
    project
}

/// The events of a log, by name and content.
fn events(log: &str) -> Vec<(String, Json)> {
    let objects = log.lines().map(|line| serde_json::from_str::<Json>(line).expect("each line is JSON"));
    let named = objects.map(|event| (event["info"]["name"].as_str().unwrap_or_default().to_owned(), event));
    named.collect()
}

fn only<'a>(events: &'a [(String, Json)], name: &str) -> &'a Json {
    let mut found = events.iter().filter(|(other, _)| other == name);
    let event = &found.next().unwrap_or_else(|| panic!("there is no {name}")).1;
    assert!(found.next().is_none(), "there is more than one {name}");
    event
}

#[test]
fn events_come_in_dbts_order_and_under_its_names() {
    let project = failing();
    let run = project.run("--log-format json build").failure();
    let events = events(&run.text());
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "MainReportVersion",
        "AdapterRegistered",
        "UnableToPartialParse",
        "FoundStats",
        "Formatting",
        "ConcurrencyLine",
        "Formatting",
        "LogHookStartLine",
        "LogHookEndLine",
        "Formatting",
        "LogStartLine",
        "LogModelResult",
        "LogStartLine",
        "LogTestResult",
        "LogStartLine",
        "LogTestResult",
        "Formatting",
        "JinjaLogInfo",
        "LogHookStartLine",
        "LogHookEndLine",
        "Formatting",
        "FinishedRunningStats",
        "Formatting",
        "EndOfRunSummary",
        "Formatting",
        "RunResultFailure",
        "RunResultError",
        "Formatting",
        // The rows that fail, which dbt does not show.
        "Note",
        "Formatting",
        "SQLCompiledPath",
        "Formatting",
        "StatsLine",
    ];
    // The two tests run side by side.
    let mut sorted = (names, expected.to_vec());
    sorted.0[9..15].sort_unstable();
    sorted.1[9..15].sort_unstable();
    assert_eq!(sorted.0, sorted.1);
    for (_, event) in &events {
        let keys: Vec<&str> = event["info"].as_object().expect("info").keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["category", "code", "extra", "invocation_id", "level", "msg", "name", "pid", "thread", "ts"]
        );
    }
}

#[test]
fn failures_name_the_group_that_owns_the_model() {
    let project = failing();
    let run = project.run("--log-format json build").failure();
    let events = events(&run.text());
    let group = json!({
        "name": "sales",
        "package_name": "shop",
        "owner": { "name": "Ann", "email": "['a@shop.test', 'b@shop.test']" },
    });
    for name in ["LogModelResult", "RunResultFailure", "RunResultError"] {
        assert_eq!(only(&events, name)["data"]["group"], group, "{name}");
    }
    let failed = only(&events, "RunResultFailure");
    assert_eq!(failed["data"]["node_name"], "not_null_a_name");
    assert_eq!(failed["data"]["node_info"]["node_status"], "fail");
    assert_eq!(only(&events, "RunResultError")["data"]["msg"], "Got 1 result, configured to fail if != 0");
    assert_eq!(only(&events, "JinjaLogInfo")["info"]["msg"], "model.shop.a");
}

#[test]
fn the_log_file_tells_each_step_and_statement() {
    let project = failing();
    project.run("--log-format-file json run").success();
    let log = project.read("logs/dbt.log");
    let events = events(&log);
    let of_node = |name: &str| {
        let mut found = events.iter().filter(|(other, event)| {
            other == name && event["data"]["node_info"]["unique_id"] == "model.shop.a"
        });
        found.next().unwrap_or_else(|| panic!("there is no {name} of the model")).1.clone()
    };
    for name in ["NodeStart", "NodeCompiling", "NodeExecuting", "ConnectionUsed", "SQLQueryStatus"] {
        of_node(name);
    }
    let sql = events.iter().filter(|(name, _)| name == "SQLQuery");
    let sql: Vec<&str> = sql.filter_map(|(_, event)| event["data"]["sql"].as_str()).collect();
    assert!(sql.iter().any(|sql| sql.contains("select 1 as id, null as name")), "{sql:?}");
    let finished = of_node("NodeFinished");
    assert_eq!(finished["data"]["run_result"]["status"], "success");
    assert_eq!(finished["data"]["node_info"]["node_relation"]["relation_name"], "\"shop\".\"main\".\"a\"");
    let completed = only(&events, "CommandCompleted");
    assert_eq!(completed["data"]["success"], true);
}

#[test]
fn the_log_file_goes_on_and_is_rotated() {
    let project = failing();
    project.run("parse").success();
    project.run("parse").success();
    let log = project.read("logs/dbt.log");
    assert_eq!(log.matches("==============================").count(), 4, "{log}");
    assert!(log.contains("[info ] [MainThread]: Running with"), "{log}");
    project.run("--log-file-max-bytes 100 parse").success();
    assert!(project.exists("logs/dbt.log.1"));
    project.run("--log-level-file none --log-path elsewhere parse").success();
    assert!(!project.exists("elsewhere/dbt.log"));
    project.run("--quiet parse").success().lists([]);
}
