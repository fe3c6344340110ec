//! Which nodes a command works on.

use crate::support::Project;

/// `raw` (seed) → `staging/a` (tag nightly), `staging/b` → `mart/c` → `mart/d`; a test on `c`.
fn graph() -> Project {
    let project = Project::new();
    project
        .seed("raw", "x\n1\n")
        .model("staging/a", "{{ config(tags=['nightly']) }} select * from {{ ref('raw') }}")
        .model("staging/b", "select * from {{ ref('raw') }}")
        .model("mart/c", "{{ config(materialized='table') }} select * from {{ ref('a') }} union all select * from {{ ref('b') }}")
        .model("mart/d", "select * from {{ ref('c') }}")
        .yaml("models: [{name: c, columns: [{name: x, data_tests: [not_null]}]}]");
    project
}

#[test]
fn methods_and_operators_select() {
    let project = graph();
    let cases: [(&str, &[&str]); 18] = [
        ("", &["a", "b", "c", "d", "not_null_c_x", "raw"]),
        ("--select a", &["a"]),
        ("--select a b", &["a", "b"]),
        ("--select a+", &["a", "c", "d", "not_null_c_x"]),
        ("--select +c", &["a", "b", "c", "not_null_c_x", "raw"]),
        ("--select 1+c", &["a", "b", "c", "not_null_c_x"]),
        ("--select a+1", &["a", "c", "not_null_c_x"]),
        ("--select +a+ --resource-type model", &["a", "c", "d"]),
        ("--select @a --resource-type model", &["a", "b", "c", "d"]),
        ("--select tag:nightly", &["a"]),
        ("--select path:models/staging", &["a", "b"]),
        ("--select models/staging", &["a", "b"]),
        ("--select staging.*", &["a", "b"]),
        ("--select config.materialized:table", &["c", "not_null_c_x"]),
        ("--select raw+1,tag:nightly", &["a"]),
        ("--select resource_type:seed test_type:generic", &["not_null_c_x", "raw"]),
        ("--select mart --exclude d", &["c", "not_null_c_x"]),
        ("--exclude staging resource_type:test", &["c", "d", "raw"]),
    ];
    for (line, expected) in cases {
        let run = project.run(&format!("ls --quiet --output name {line}")).success();
        let mut lines = run.lines();
        lines.sort();
        assert_eq!(lines, expected, "ls {line}");
    }
}

#[test]
fn a_command_works_on_what_is_selected() {
    let project = graph();
    project.run("build --select +a").success().relations(["main.a view", "main.raw table"]);
    project.run("run --select b c").success().statuses(["b success", "c success"]);
    project.run("test --select c").success().statuses(["not_null_c_x pass"]);
    project.run("build --exclude raw a b").success().statuses([
        "c success",
        "d success",
        "not_null_c_x pass",
    ]);
}

#[test]
fn what_selects_nothing_is_told() {
    graph().run("build --select no_such_model").success().says("no_such_model").statuses([]);
}

#[test]
fn selectors_have_names() {
    let project = graph();
    project.file(
        "selectors.yml",
        "selectors: [{name: night, definition: {union: [{method: tag, value: nightly, children: true}, b]}}]",
    );
    project
        .run("ls --quiet --output name --selector night --resource-type model")
        .success()
        .lists(["a", "b", "c", "d"]);
}

#[test]
fn state_selects_what_changed() {
    let project = graph();
    project.run("parse --target-path before").success();
    project.model("staging/b", "select x + 1 as x from {{ ref('raw') }}");
    project.run("ls --quiet --output name --select state:modified --state before").success().lists(["b"]);
}
