//! Hooks: statements before and after a node, and at the start and the end of a run.

use crate::support::Project;

#[test]
fn hooks_run_around_a_model() {
    let project = Project::new();
    project.sql("create table log (what varchar, n integer)").model(
        "a",
        "{{ config(
             materialized='table',
             pre_hook=\"insert into log select 'before', count(*) from information_schema.tables where table_name = 'a'\",
             post_hook=[\"insert into log select 'after ' || '{{ this.name }}', count(*) from {{ this }}\"]
         ) }} select 1 as x union all select 2",
    );
    project.run("run").success().rows("log", ["after a,2", "before,0"]);
}

#[test]
fn hooks_of_the_project_join_those_of_the_model() {
    let project = Project::new();
    project
        .sql("create table log (what varchar)")
        .config("models: {shop: {+post-hook: \"insert into log values ('project {{ this.name }}')\"}}")
        .model("a", "{{ config(post_hook=\"insert into log values ('model')\") }} select 1 as x");
    project.run("run").success().query("from log", ["project a", "model"]);
}

#[test]
fn a_hook_can_be_outside_of_the_transaction() {
    let project = Project::new();
    project.sql("create table log (what varchar)").model(
        "a",
        "{{ config(materialized='table',
             pre_hook={'sql': \"insert into log values ('stays')\", 'transaction': false},
             post_hook=[\"insert into log values ('undone')\", 'select * from no_such_table']) }} select 1 as x",
    );
    project.run("run").failure().rows("log", ["stays"]).relations(["main.log table"]);
}

#[test]
fn a_hook_may_say_how_many_threads_duckdb_has() {
    let project = Project::new();
    project.model("a", "{{ config(materialized='table', pre_hook='set threads = 1') }} select current_setting('threads') as threads");
    project.run("run").success().rows("a", ["1"]);
}

#[test]
fn run_hooks_see_the_run() {
    let project = Project::new();
    project
        .config(
            "
            on-run-start: create table if not exists log (what varchar)
            on-run-end:
              - \"{% for result in results %} insert into log values ('{{ result.node.name }} {{ result.status }}'); {% endfor %}\"
              - \"insert into log values ('{{ schemas | join(',') }}')\"
            ",
        )
        .model("a", "{{ config(schema='extra') }} select 1 as x");
    project.run("run").success().rows("log", ["a success", "main_extra"]);
}

#[test]
fn a_failing_start_hook_fails_the_run_and_stops_it_if_that_is_wanted() {
    let project = Project::new();
    project.config("on-run-start: ['select * from no_such_table']").model("a", "select 1 as x");
    project.run("run").failure().says("no_such_table").relations(["main.a view"]);
    let stopping = project
        .read("dbt_project.yml")
        .replace("flags: {", "flags: {skip_nodes_if_on_run_start_fails: true, ");
    project.file("dbt_project.yml", &stopping).sql("drop view main.a");
    project.run("run").failure().relations([]).statuses(["a skipped", "shop-on-run-start-0 error"]);
}

#[test]
fn a_failing_end_hook_fails_the_run() {
    let project = Project::new();
    project.config("on-run-end: ['select * from no_such_table']").model("a", "select 1 as x");
    project.run("run").failure().relations(["main.a view"]);
}

/// As in dbt, such an error is that of the command.
#[test]
fn a_hook_that_does_not_render_ends_the_command() {
    let project = Project::new();
    project
        .config("on-run-start: \"{{ exceptions.raise_compiler_error('too early') }}\"")
        .model("a", "select 1 as x");
    project.run("run").refused().says("too early").relations([]);
    let project = Project::new();
    project
        .config("on-run-end: \"{{ run_query('select * from no_such_table') }}\"")
        .model("a", "select 1 as x");
    project.run("run").refused().says("no_such_table").relations(["main.a view"]).statuses(["a success"]);
}

#[test]
fn hooks_at_the_end_see_those_at_the_start_that_failed() {
    let project = Project::new();
    project
        .config(
            "on-run-start: [select 1, select * from no_such_table]\n\
             on-run-end: create table seen as select '{{ results | map(attribute='thread_id') | first }} {{ results | length }} {{ schemas | join }}' as x",
        )
        .model("a", "select 1 as x");
    let run = project.run("run").failure().rows("seen", ["main 2 main"]);
    assert_eq!(run.results()[0]["message"], "shop.on-run-start.0 passed");
}

#[test]
fn hooks_stand_under_one_name() {
    let project = Project::new();
    project.model("a", "{{ config({'pre_hook': 'select 1', 'pre-hook': 'select 2'}) }} select 1 as x");
    project.run("parse").refused().says("duplicate keys: (pre_hook, pre-hook)");
}

#[test]
fn a_seed_depends_on_nothing() {
    let project = Project::new();
    project
        .config("seeds: {shop: {+post-hook: \"select * from {{ ref('a') }}\"}}")
        .model("a", "select 1 as x")
        .seed("s", "x\n1\n");
    project.run("parse").refused().says("Seeds cannot depend on other nodes").says("seeds/s.csv");
}

#[test]
fn hooks_may_call_macros_that_run_sql() {
    let project = Project::new();
    project
        .macros("{% macro note(what) %}{% do run_query(\"create or replace table noted as select '\" ~ what ~ \"' as what\") %}{% endmacro %}")
        .config("on-run-end: \"{{ note('done') }}\"")
        .model("a", "select 1 as x");
    project.run("run").success().rows("noted", ["done"]);
}

#[test]
fn results_tell_what_became_of_the_hooks_of_a_run() {
    let project = Project::new();
    project.model("a", "select 1 as x").config(
        "
        on-run-start: [select 1]
        on-run-end: [select * from no_such_table, select 2]
        ",
    );
    let run = project.run("run").failure();
    let hooks = run
        .results()
        .into_iter()
        .filter(|result| result["unique_id"].as_str().is_some_and(|id| id.contains("on-run")));
    let told: Vec<_> = hooks
        .map(|result| {
            let message =
                result["message"].as_str().and_then(|message| message.lines().next()).unwrap_or_default();
            format!("{} {} {message}", result["status"], result["failures"])
        })
        .collect();
    assert_eq!(
        told,
        [
            "\"success\" 0 shop.on-run-start.0 passed",
            "\"error\" 1 shop.on-run-end.0 failed, error:",
            "\"skipped\" 1 shop.on-run-end.1 skipped",
        ]
    );
}
