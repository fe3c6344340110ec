//! `unique` and `not_null` that one scan answers: nothing that can be seen differs from tests that ask one by one.

use regex::Regex;
use serde_json::Value as Json;

use crate::support::Project;

/// What a run leaves behind and tells, but for times, and for the statements it sends.
#[derive(Debug, PartialEq)]
struct Seen {
    told: String,
    /// The results, the events of the log, and the files of SQL.
    left: Vec<String>,
}

/// Runs from a clean folder, and also tells how many statements were sent that answer several tests.
fn seen(project: &Project, line: &str) -> (Seen, usize) {
    for folder in ["target", "logs"] {
        if project.exists(folder) {
            project.remove(folder);
        }
    }
    let run = project.run(&format!("{line} --log-format-file json"));
    let mut left: Vec<String> = run
        .results()
        .into_iter()
        .map(|mut result| {
            let fields = result.as_object_mut().expect("a result has fields");
            fields.retain(|key, _| !["timing", "execution_time", "thread_id"].contains(&key.as_str()));
            result.to_string()
        })
        .collect();
    let log = project.read("logs/dbt.log");
    let events = log.lines().map(|line| serde_json::from_str(line).expect("a line of the log is JSON"));
    left.extend(events.filter_map(|event: Json| {
        let name = event["info"]["name"].as_str().unwrap_or_default().to_owned();
        let of = event["data"]["node_info"]["unique_id"].to_string();
        let is_sent = name.starts_with("SQLQuery") || name == "ConnectionUsed";
        (!is_sent && of != "null").then(|| format!("{name} {of}"))
    }));
    let temporary = Regex::new(r"__dbt_tmp\d+").expect("a correct expression");
    for file in project.files("target").into_iter().filter(|file| file.ends_with(".sql")) {
        left.push(format!("{file}\n{}", temporary.replace_all(&project.read(&file), "__dbt_tmp")));
    }
    let scan = Regex::new(r"is null as is_null|true as is_null").expect("a correct expression");
    let scans = log.lines().filter(|line| line.contains("\"SQLQuery\"") && scan.is_match(line)).count();
    (Seen { told: run.told(), left }, scans)
}

/// Nothing differs whether or not tests go together, and so many scans are made if they do.
#[track_caller]
fn same(project: &Project, line: &str, scans: usize) {
    // What a first run finds is not what the next ones find.
    seen(project, line);
    let (mut apart, none) = seen(project, &format!("{line} --threads 1 --separate-tests"));
    assert_eq!(none, 0, "{line} --separate-tests");
    assert_eq!(seen(project, &format!("{line} --threads 1")), (apart, scans), "{line}");
    (apart, _) = seen(project, &format!("{line} --threads 4 --separate-tests"));
    let (mut together, found) = seen(project, &format!("{line} --threads 4"));
    assert_eq!(found, scans, "{line} --threads 4");
    apart.left.sort();
    together.left.sort();
    assert_eq!(together.left, apart.left, "{line} --threads 4");
}

/// A model `a` with columns of all kinds, each with tests as YAML.
fn table(columns: &[(&str, &str)]) -> Project {
    let project = Project::new();
    project.model(
        "a",
        "{{ config(materialized='table') }}
        select * from (values
            (1, 1, null, 'x', 1.0, [1], {'f': 1, 'g': null}, 1, date '2020-01-01'),
            (2, 1, null, 'X', 'nan'::double, [1], {'f': 1, 'g': null}, 2, null),
            (3, null, null, 'x', 'nan'::double, null, null, 3, null)
        ) as t (fine, id, nothing, \"Order\", float, list, pair, good, day)",
    );
    project.model("b", "select * from {{ ref('a') }}");
    let columns: Vec<String> =
        columns.iter().map(|(name, tests)| format!("{{name: {name}, data_tests: [{tests}]}}")).collect();
    project.yaml(&format!("models: [{{name: a, columns: [{}]}}]", columns.join(", ")));
    project
}

const BOTH: &str = "unique, not_null";

#[test]
fn columns_of_all_kinds_have_the_failures_of_their_own_statements() {
    let columns =
        ["fine", "id", "nothing", "float", "list", "pair", "day", "ORDER", "'\"Order\"'", "pair.f", "a.good"];
    let project = table(&columns.map(|column| (column, BOTH)));
    same(&project, "build", columns.len());
    same(&project, "test", columns.len());
}

#[test]
fn columns_without_nulls_are_looked_at_together() {
    let project = table(&[("fine", "not_null"), ("good", "not_null"), ("float", BOTH)]);
    same(&project, "build", 2);
    let project = table(&[("fine", "not_null"), ("id", "not_null"), ("day", "not_null")]);
    same(&project, "build", 1);
}

#[test]
fn a_test_without_another_one_to_go_with_asks_itself() {
    let project = table(&[("fine", "unique"), ("good", "unique"), ("id", "not_null"), ("day", BOTH)]);
    same(&project, "build --exclude unique_a_day", 1);
    same(&project, "build --select unique_a_day", 0);
    same(&project, "build --select a,test_name:unique", 0);
}

#[test]
fn a_missing_column_is_told_of_by_the_test_that_names_it() {
    let project = table(&[("missing", BOTH), ("id", BOTH)]);
    same(&project, "build", 2);
    let project = table(&[("missing", "not_null"), ("id", "not_null"), ("good", "not_null")]);
    same(&project, "build", 1);
    project.run("test").failure().says("FAIL 1 not_null_a_id").says("PASS not_null_a_good");
}

#[test]
fn a_value_that_cannot_be_had_breaks_only_the_test_that_asks_for_it() {
    let project = table(&[("fine", "not_null"), ("day", "not_null"), ("good", BOTH)]);
    project.model("a", "select 1 as fine, cast(t as date) as day, 1 as good from (values ('x')) as v (t)");
    same(&project, "build --select a --exclude b", 2);
}

#[test]
fn a_missing_table_is_told_of_by_every_test() {
    let project = table(&[("fine", BOTH), ("id", "not_null"), ("day", "not_null")]);
    project.run("parse").success();
    same(&project, "test", 2);
}

#[test]
fn what_changes_the_question_is_asked_by_itself() {
    let project = table(&[
        ("fine", "unique: {config: {severity: warn}}, not_null: {config: {severity: warn}}"),
        ("id", "unique: {config: {severity: warn}}, not_null: {config: {severity: warn}}"),
        ("float", "unique: {config: {fail_calc: sum(n_records)}}, not_null"),
        ("good", "unique, not_null: {config: {where: fine < 3}}"),
        ("day", "unique, not_null: {config: {limit: 1}}"),
        ("nothing", "unique, not_null: {config: {store_failures: true}}"),
        ("list", "unique: {config: {error_if: '> 5'}}, not_null"),
        ("pair", "unique: {config: {warn_if: '> 1'}}, not_null"),
        ("'fine + 0'", BOTH),
        ("'1'", BOTH),
    ]);
    same(&project, "build", 3);
    same(&project, "build --warn-error", 3);
}

#[test]
fn stored_failures_and_empty_inputs_are_asked_for_by_themselves() {
    let project = table(&[("id", BOTH), ("fine", BOTH)]);
    same(&project, "build --store-failures", 0);
    same(&project, "build --empty", 0);
}

#[test]
fn more_failures_than_are_read_are_counted_by_the_tests() {
    let project = table(&[("id", BOTH), ("few", BOTH)]);
    project.model(
        "a",
        "select i // 2 as id, case when i >= 1998 then i else i // 2 end as few from range(2100) as r(i)",
    );
    same(&project, "build --select a", 2);
    project.run("test").failure().says("FAIL 1050 unique_a_id").says("FAIL 999 unique_a_few");
}

#[test]
fn the_run_stops_at_the_same_failure() {
    let project = table(&[("id", BOTH), ("good", BOTH), ("nothing", BOTH)]);
    project.run("run").success();
    for line in ["build --fail-fast", "test --fail-fast"] {
        let (apart, _) = seen(&project, &format!("{line} --threads 1 --separate-tests"));
        assert_eq!(seen(&project, &format!("{line} --threads 1")).0, apart, "{line}");
    }
}

#[test]
fn seeds_snapshots_views_and_sources_are_scanned_too() {
    let project = Project::new();
    project
        .sql("create or replace table main.raw as select 1 as id, 2 as v union all select 2, 2")
        .seed("s", "id,v\n1,2\n1,\n")
        .snapshot(
            "h",
            "{% snapshot h %}{{ config(unique_key='id', strategy='check', check_cols=['v']) }}
            select 1 as id, 2 as v{% endsnapshot %}",
        )
        .model("w", "select * from {{ source('main', 'raw') }}")
        .model("eph", "{{ config(materialized='ephemeral') }}select * from {{ ref('w') }}")
        .yaml(
            "
            models:
              - {name: w, columns: [{name: id, data_tests: [unique, not_null]}, {name: v, data_tests: [unique, not_null]}]}
              - {name: eph, columns: [{name: id, data_tests: [unique, not_null]}]}
            seeds:
              - {name: s, columns: [{name: id, data_tests: [unique, not_null]}, {name: v, data_tests: [unique, not_null]}]}
            snapshots:
              - {name: h, columns: [{name: id, data_tests: [unique, not_null]}, {name: v, data_tests: [not_null]}]}
            sources:
              - name: main
                tables:
                  - {name: raw, columns: [{name: id, data_tests: [unique, not_null]}, {name: v, data_tests: [not_null]}]}
            ",
        );
    same(&project, "build", 6);
}

#[test]
fn comments_and_hooks_stay_with_their_nodes() {
    let project = table(&[("id", BOTH), ("good", BOTH)]);
    project.config(
        "
        query-comment: \"{{ 'for ' ~ node.name if node else 'for none' }}\"
        on-run-start: \"create or replace table h as select 1 as x\"
        on-run-end: \"insert into h select 2\"
        ",
    );
    same(&project, "build", 2);
    seen(&project, "build --threads 1");
    let log = project.read("logs/dbt.log");
    assert!(log.contains("/* for not_null_a_id */\\nselect id is null"), "{log}");
}

#[test]
fn macros_that_replace_a_part_of_the_tests_are_asked() {
    for replacing in [
        "{% macro default__test_not_null(model, column_name) %}select 1 where false{% endmacro %}",
        "{% macro duckdb__test_unique(model, column_name) %}select 1 from {{ model }}{% endmacro %}",
        "{% test unique(model, column_name) %}select {{ column_name }} from {{ model }}{% endtest %}",
        "{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %}
         select 7 as failures, true as should_warn, true as should_error{% endmacro %}",
        "{% materialization test, default %}
         {% call statement('main', fetch_result=True) %}select 3 as failures, true as should_warn, true as should_error{% endcall %}
         {{ return({'relations': []}) }}{% endmaterialization %}",
        // These are told by what they make of the statement.
        "{% macro get_where_subquery(relation) %}{% do return('(select * from ' ~ relation ~ ' limit 1) x') %}{% endmacro %}",
        "{% macro ref(name) %}{% do return(builtins.ref(name).include(database=false)) %}{% endmacro %}",
    ] {
        let project = table(&[("id", BOTH), ("good", BOTH), ("fine", "not_null"), ("day", "not_null")]);
        project.macros(replacing);
        same(&project, "build", 0);
    }
}

#[test]
fn it_can_be_switched_off_in_the_environment() {
    let project = table(&[("fine", BOTH)]);
    let log = || project.read("logs/dbt.log").matches("is null as is_null").count();
    project.run_with("build", &[("DBT_SEPARATE_TESTS", "true")]).success();
    assert_eq!(log(), 0);
    project.run("build").success();
    assert_eq!(log(), 1);
}
