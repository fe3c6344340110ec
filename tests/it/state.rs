//! Working on from an earlier run: deferral, clones, and the retry of what failed.

use crate::support::Project;
use serde_json::json;

/// `a` ◀ `b` ◀ `c`, built in production, whose artifacts are in `state/`.
fn with_production() -> Project {
    let project = Project::new();
    project
        .seed("s", "x\n1\n")
        .file(
            "models/a.sql",
            "{{ config(materialized='table') }} select x, '{{ target.name }}' as t from {{ ref('s') }}",
        )
        .model("b", "select x + 1 as y, t from {{ ref('a') }}")
        .model("c", "select y + 1 as z, t from {{ ref('b') }}");
    project.run("build --target prod --target-path state").success();
    project
}

#[test]
fn deferred_refs_point_at_the_state_where_nothing_is_built() {
    let project = with_production();
    project.run("run --select b --defer --state state").success().rows("b", ["2,prod"]).relations([
        "main.b view",
        "prod.a table",
        "prod.b view",
        "prod.c view",
        "prod.s table",
    ]);
    // What is selected or exists is the run's own.
    project.run("run --select b c --defer --state state").success().rows("c", ["3,prod"]);
    project
        .run("compile --select c --defer --state state")
        .success()
        .wrote("target/compiled/shop/models/c.sql", "select y + 1 as z, t from \"shop\".\"main\".\"b\"");
    project
        .run("show --inline 'select t from {{ ref(\"a\") }}' --defer --state state")
        .success()
        .says("prod");
    // Without the flag they are missed.
    project.run("run --select b").failure();
}

#[test]
fn a_favored_state_stands_even_for_what_exists() {
    let project = with_production();
    project.run("build --target dev").success().rows("c", ["3,dev"]);
    project.run("run --select c --defer --state state").success().rows("c", ["3,dev"]);
    project.run("run --select c --defer --favor-state --state state").success().rows("c", ["3,prod"]);
    project.run("run --select b c --defer --favor-state --state state").success().rows("c", ["3,prod"]);
    project
        .run_with(
            "run --select a b c",
            &[("DBT_DEFER", "1"), ("DBT_FAVOR_STATE", "1"), ("DBT_STATE", "state")],
        )
        .success()
        .rows("main.a", ["1,dev"])
        .rows("c", ["3,dev"]);
}

#[test]
fn the_state_of_deferral_may_be_another_than_that_of_selection() {
    let project = with_production();
    project.run("parse --target-path before").success();
    project.model("c", "select y + 2 as z, t from {{ ref('b') }}");
    project
        .run("run --select state:modified --state before --defer --defer-state state")
        .success()
        .statuses(["c success"])
        .rows("c", ["4,prod"]);
}

#[test]
fn deferral_needs_a_state() {
    let project = with_production();
    project
        .run("run --defer")
        .refused()
        .says("--state or --defer-state are required for deferral, but neither was provided");
    project
        .run("run --defer --state nowhere")
        .refused()
        .says("Could not find manifest in --state path: \"nowhere\"");
    project.file(
        "state/manifest.json",
        r#"{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v99.json"}}"#,
    );
    project.run("run --defer --state state").refused().says("Expected a schema version of").says("v99");
}

#[test]
fn tests_of_deferred_models_look_at_the_state() {
    let project = with_production();
    project.yaml("models: [{name: a, columns: [{name: x, data_tests: [not_null]}]}]");
    project.run("test --defer --state state").success().statuses(["not_null_a_x pass"]);
    project.run("test").failure();
}

#[test]
fn clone_puts_views_over_the_state() {
    let project = with_production();
    project
        .run("clone --state state")
        .success()
        .statuses(["a success", "b success", "c success", "s success"])
        .rows("main.a", ["1,prod"])
        .relations([
            "main.a view",
            "main.b view",
            "main.c view",
            "main.s view",
            "prod.a table",
            "prod.b view",
            "prod.c view",
            "prod.s table",
        ]);
    // A second clone leaves them, unless told otherwise.
    project.run("clone --state state --select a").success().says("already exists").has(
        "run_results.json",
        "/results/0/message",
        json!("No-op"),
    );
    project.run("clone --state state --select a --full-refresh").success().says_nothing_of("already exists");
    project.run("clone --state state --resource-type seed").success().statuses(["s success"]);
    // And a run puts its own in their place.
    project.run("run").success().rows("c", ["3,dev"]);
}

#[test]
fn clone_tells_what_the_state_does_not_have() {
    let project = with_production();
    project.model("d", "select 1 as x");
    project
        .run("clone --state state --select d")
        .success()
        .says("No relation found in state manifest for model.shop.d");
    project.run("clone").refused().says("--state or --defer-state are required");
}

#[test]
fn retry_runs_what_failed_and_what_waited_for_it() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .model("b", "select no_such_column as x from {{ ref('a') }}")
        .model("c", "select x, {{ var('v', 0) }} as v from {{ ref('b') }}");
    project.run("build --vars '{v: 7}'").failure().statuses(["a success", "b error", "c skipped"]);
    project.run("retry").failure().statuses(["b error", "c skipped"]);
    project.model("b", "select x from {{ ref('a') }}");
    project.run("retry").success().statuses(["b success", "c success"]).rows("c", ["1,7"]).has(
        "run_results.json",
        "/args/which",
        json!("build"),
    );
    project.run("retry").success().says("Nothing to do");
}

#[test]
fn retry_takes_variables_and_threads_of_its_own() {
    let project = Project::new();
    project.model("a", "select {{ var('v') }} as v");
    project.run("run --vars '{v: no_such}' --select a").failure();
    project.run("retry --vars '{v: 5}' --threads 1").success().rows("a", ["5"]);
}

#[test]
fn retry_needs_something_to_go_on_with() {
    let project = Project::new();
    project.model("a", "select 1 as x");
    project.run("retry").refused().says("Could not find previous run in 'target' target directory");
    project.run("retry --state elsewhere").refused().says("in 'elsewhere' target directory");
    project.model("a", "select no_such as x");
    project.run("run --target-path elsewhere").failure();
    project.model("a", "select 2 as x");
    project.run("retry --state elsewhere").success().rows("a", ["2"]);
    project.model("a", "select no_such as x").run("run").failure();
    project.remove("models/a.sql").model("b", "select 1 as x");
    project.run("retry").refused().says("Couldn't find model 'model.shop.a'");
}

#[test]
fn retry_repeats_only_the_batches_that_failed() {
    let project = Project::new();
    project
        .model(
            "input",
            "{{ config(materialized='table', event_time='happened') }}
             select * from (values (1, timestamp '2024-05-01'), (2, timestamp '2024-05-02'), (3, timestamp '2024-05-03')) t(id, happened)",
        )
        .model(
            "daily",
            "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened', batch_size='day', begin='2024-05-01') }}
             select id, happened, {{ var('second', 1) if model.batch and model.batch.id == '20240502' else 1 }} as v
             from {{ ref('input') }}",
        );
    project
        .run("run --event-time-start 2024-05-01 --event-time-end 2024-05-04 --vars '{second: no_such}'")
        .failure();
    let run = project.run("retry --vars '{second: 5}'").success().statuses(["daily success"]);
    let batches = &run.results()[0]["batch_results"];
    assert_eq!(batches["successful"].as_array().map(Vec::len), Some(1), "{batches}");
    run.query("select id, v from daily order by id", ["1,1", "2,5", "3,1"]);
}

#[test]
fn contracts_are_compared_with_their_constraints() {
    let project = Project::new();
    let yaml = |constraints: &str| {
        format!(
            "models: [{{name: a, config: {{contract: {{enforced: true}}, materialized: table}}, columns: [{{name: x, data_type: integer{constraints}}}]}}]"
        )
    };
    project.model("a", "select 1 as x").yaml(&yaml(", constraints: [{type: not_null}]"));
    project.run("build --target-path state").success();
    project.run("ls --quiet --select state:modified --state state").success().says_nothing_of("shop.a");
    project.yaml(&yaml(""));
    project
        .run("ls --select state:modified --state state")
        .success()
        .says("While comparing to previous project state, dbt detected a breaking change to an unversioned model")
        .says("shop.a");
}

#[test]
fn unrendered_settings_in_a_file_are_no_change_where_the_project_says_so() {
    let project = Project::new();
    project.model("a", "{{ config(materialized=var('m'), tags=['x', 'y']) }} select 1 as x");
    project.run("parse --vars '{m: table}' --target-path state").success();
    project.run("ls --quiet -s state:modified --state state --vars '{m: view}'").success().lists(["shop.a"]);
    let more = project
        .read("dbt_project.yml")
        .replace("flags: {", "flags: {state_modified_compare_more_unrendered_values: true, ");
    project.file("dbt_project.yml", &more);
    project.run("parse --vars '{m: table}' --target-path state").success();
    project
        .run("ls --quiet -s state:modified --state state --vars '{m: view}'")
        .success()
        .says_nothing_of("shop.a");
}
