//! What is left in `target/`.

use crate::support::Project;
use serde_json::{Value as Json, json};

fn built() -> Project {
    let project = Project::new();
    project
        .seed("s", "x\n1\n")
        .model(
            "a",
            "{{ config(materialized='table', tags=['t'], meta={'k': 1}) }} select * from {{ ref('s') }}",
        )
        .yaml("models: [{name: a, description: All of it., columns: [{name: x, data_tests: [unique]}]}]")
        .test("positive", "select * from {{ ref('a') }} where x < 0")
        .macros("{% macro m() %}1{% endmacro %}");
    project
}

fn keys(value: &Json) -> Vec<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

#[test]
fn the_manifest_has_the_shape_of_dbt() {
    let project = built();
    let manifest = project.run("build").success().artifact("manifest.json");
    let expected = [
        "metadata",
        "nodes",
        "sources",
        "macros",
        "docs",
        "exposures",
        "metrics",
        "groups",
        "selectors",
        "disabled",
        "parent_map",
        "child_map",
        "group_map",
        "saved_queries",
        "semantic_models",
        "unit_tests",
        "functions",
    ];
    assert_eq!(keys(&manifest), expected);
    assert_eq!(
        manifest["metadata"]["dbt_schema_version"],
        "https://schemas.getdbt.com/dbt/manifest/v12.json"
    );
    assert_eq!(manifest["metadata"]["project_name"], "shop");
    assert_eq!(manifest["metadata"]["adapter_type"], "duckdb");
    let node = &manifest["nodes"]["model.shop.a"];
    assert_eq!(node["relation_name"], "\"shop\".\"main\".\"a\"");
    assert_eq!(node["compiled_code"], " select * from \"shop\".\"main\".\"s\"");
    assert_eq!(node["depends_on"], json!({"macros": [], "nodes": ["seed.shop.s"]}));
    assert_eq!((&node["config"]["tags"], &node["config"]["meta"]), (&json!(["t"]), &json!({"k": 1})));
    assert_eq!(manifest["parent_map"]["model.shop.a"], json!(["seed.shop.s"]));
    assert_eq!(
        manifest["child_map"]["model.shop.a"],
        json!(["test.shop.positive", "test.shop.unique_a_x.d6309b38bc"])
    );
}

#[test]
fn run_results_have_the_shape_of_dbt() {
    let project = built();
    let results = project.run("build --vars '{day: 1}'").success().artifact("run_results.json");
    assert_eq!(keys(&results), ["metadata", "results", "elapsed_time", "args"]);
    assert_eq!(
        results["metadata"]["dbt_schema_version"],
        "https://schemas.getdbt.com/dbt/run-results/v6.json"
    );
    assert_eq!((&results["args"]["which"], &results["args"]["vars"]), (&json!("build"), &json!({"day": 1})));
    let results = results["results"].as_array().expect("a list");
    let model =
        results.iter().find(|result| result["unique_id"] == "model.shop.a").expect("the model's result");
    let expected = [
        "status",
        "timing",
        "thread_id",
        "execution_time",
        "adapter_response",
        "message",
        "failures",
        "unique_id",
        "compiled",
        "compiled_code",
        "relation_name",
        "batch_results",
    ];
    assert_eq!(keys(model), expected);
    let steps: Vec<&Json> =
        model["timing"].as_array().into_iter().flatten().map(|step| &step["name"]).collect();
    assert_eq!(steps, ["compile", "execute"]);
    assert_eq!((&model["message"], &model["compiled"]), (&json!("OK"), &json!(true)));
}

#[test]
fn sql_is_left_as_it_was_compiled_and_as_it_ran() {
    let project = built();
    project.run("build").success();
    assert_eq!(
        project.files("target/compiled"),
        [
            "target/compiled/shop/models/a.sql",
            "target/compiled/shop/models/schema.yml/unique_a_x.sql",
            "target/compiled/shop/tests/positive.sql",
        ]
    );
    let run = project.files("target/run");
    assert!(run.contains(&"target/run/shop/models/a.sql".to_owned()), "{run:?}");
    assert!(project.read("target/run/shop/models/a.sql").to_lowercase().contains("create"));
}

#[test]
fn artifacts_can_go_elsewhere_or_nowhere() {
    let project = built();
    project.run("build --target-path out").success();
    assert!(
        project.exists("out/manifest.json")
            && project.exists("out/run_results.json")
            && !project.exists("target")
    );
    project.run("--no-write-json build --target-path none").success();
    assert!(!project.exists("none/manifest.json"));
}

#[test]
fn logs_can_be_json() {
    let project = built();
    let run = project.run("--log-format json build").success();
    for line in run.text().lines() {
        let line: Json = serde_json::from_str(line).expect("a line of JSON");
        assert!(line["info"]["name"].is_string() && line["data"].is_object(), "{line}");
    }
}

/// A metric on a semantic model, written as short as can be.
fn semantic() -> Project {
    let project = Project::new();
    project
        .model("orders", "select 1 as id, date '2024-01-01' as on_day, 5 as amount")
        .model("days", "select date '2024-01-01' as on_day")
        .yaml(
            "
            semantic_models:
              - name: orders
                model: ref('orders')
                config: {meta: {owner: ann}}
                defaults: {agg_time_dimension: on_day}
                entities: [{name: id, type: primary}]
                dimensions: [{name: on_day, type: TIME, type_params: {time_granularity: day}}]
                measures:
                  - {name: amount, agg: sum, create_metric: true}
                  - {name: orders, agg: count, expr: 1}
            metrics:
              - {name: count, label: Count, type: simple, filter: \"{{ Dimension('id__on_day') }} > 1\", type_params: {measure: {name: orders, fill_nulls_with: 0}}}
              - {name: running, label: Running, type: cumulative, type_params: {measure: amount, cumulative_type_params: {window: 7 days}}}
              - {name: each, label: Each, type: ratio, type_params: {numerator: amount, denominator: count}}
            saved_queries:
              - {name: daily, query_params: {metrics: [each], group_by: [\"Dimension('id__on_day')\"]}, exports: [{name: kept, config: {export_as: table}}]}
            models:
              - name: days
                time_spine: {standard_granularity_column: on_day}
                columns: [{name: on_day, granularity: day}]
            ",
        );
    project
}

#[test]
fn the_semantic_layer_has_the_full_shape() {
    let project = semantic();
    let run = project.run("parse").success();
    let measure = |name: &str, fill: Json| json!({ "name": name, "filter": null, "alias": null, "join_to_timespine": false, "fill_nulls_with": fill });
    let both = json!([measure("amount", json!(null)), measure("orders", json!(0))]);
    run.has("manifest.json", "/metrics/metric.shop.each/type_params/input_measures", both)
        .has("manifest.json", "/metrics/metric.shop.amount/label", json!("amount"))
        .has("manifest.json", "/metrics/metric.shop.amount/type_params/expr", json!("amount"))
        .has(
            "manifest.json",
            "/metrics/metric.shop.running/type_params/cumulative_type_params",
            json!({
                "window": { "count": 7, "granularity": "day" },
                "grain_to_date": null,
                "period_agg": "first",
                "metric": null,
            }),
        )
        .has(
            "manifest.json",
            "/metrics/metric.shop.count/filter/where_filters",
            json!([{ "where_sql_template": "{{ Dimension('id__on_day') }} > 1" }]),
        )
        .has(
            "manifest.json",
            "/saved_queries/saved_query.shop.daily/exports/0/config",
            json!({ "export_as": "table", "schema_name": "main", "alias": "kept", "database": "shop" }),
        )
        .has(
            "semantic_manifest.json",
            "/semantic_models/0/node_relation/relation_name",
            json!("\"shop\".\"main\".\"orders\""),
        )
        .has("semantic_manifest.json", "/semantic_models/0/measures/1/expr", json!("1"))
        .has("semantic_manifest.json", "/semantic_models/0/dimensions/0/config/meta/owner", json!("ann"))
        .has(
            "semantic_manifest.json",
            "/project_configuration/time_spines/0/primary_column",
            json!({ "name": "on_day", "time_granularity": "day" }),
        );
}

#[test]
fn the_semantic_layer_is_checked() {
    let project = semantic();
    project.remove("models/days.sql");
    project.yaml("semantic_models: [{name: o, model: ref('orders'), measures: [{name: m, agg: product}]}]");
    project.run("parse").refused().says("'product' is not a value of `agg`").says("models/schema.yml:1");
    project.yaml("semantic_models: [{name: o, model: ref('orders'), entities: [{name: id, type: primary}]}]");
    project.run("parse").refused().says("requires a time spine model with granularity DAY or smaller");
}

#[test]
fn the_graph_summary_numbers_the_nodes() {
    let project = built();
    let run = project.run("build").success();
    let summary = run.artifact("graph_summary.json");
    let linked = summary["linked"].as_object().expect("nodes by number");
    let number_of = |id: &str| {
        let number = linked.iter().find(|(_, node)| node["name"] == id).map(|(number, _)| number);
        number.and_then(|number| number.parse::<u64>().ok())
    };
    let seed = number_of("seed.shop.s").expect("the seed has a number").to_string();
    let expected = json!({ "name": "seed.shop.s", "type": "seed", "succ": [number_of("model.shop.a")] });
    assert_eq!(linked[&seed], expected);
    assert_eq!(keys(&summary), ["_invocation_id", "linked", "with_test_edges"]);
}

#[test]
fn unit_tests_of_versions_are_one_of_each() {
    let project = Project::new();
    project
        .model("a_v1", "select 1 as x")
        .model("a_v2", "select 1 as x")
        .model("gone", "{{ config(enabled=false) }} select 1 as x")
        .yaml(
            "
            models: [{name: a, latest_version: 2, versions: [{v: 1}, {v: 2}]}]
            unit_tests:
              - {name: all, model: a, given: [], expect: {rows: [{x: 1}]}}
              - {name: one, model: a, versions: {exclude: [1]}, given: [], expect: {rows: [{x: 1}]}}
              - {name: none, model: gone, given: [], expect: {rows: [{x: 1}]}}
            ",
        );
    let run = project.run("build").success();
    let mut manifest = run.artifact("manifest.json");
    let mut ids = keys(&manifest["unit_tests"]);
    ids.sort_unstable();
    assert_eq!(ids, ["unit_test.shop.a.all_v1", "unit_test.shop.a.all_v2", "unit_test.shop.a.one_v2"]);
    assert_eq!(manifest["unit_tests"]["unit_test.shop.a.one_v2"]["version"], 2);
    assert!(manifest["disabled"].take().get("unit_test.shop.gone.none").is_some());
    run.statuses(["a.all_v1 pass", "a.all_v2 pass", "a.one_v2 pass", "a.v1 success", "a.v2 success"]);
}

#[test]
fn a_group_must_be_defined() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .yaml("models: [{name: a, config: {group: nobody}}]\ngroups: [{name: sales, owner: {name: Ann}}]");
    project.run("parse").refused().says("Invalid group 'nobody', expected one of ['sales']");
}

#[test]
fn only_blocks_that_are_shown_as_they_are_count() {
    let project = Project::new();
    project.model("a", "select 1 as x, 2 as y").file("models/d.md", "{% docs d %}the {n}{% enddocs %}").yaml(
        "
            models:
              - name: a
                description: \"See {{ doc('shop', 'd') }}.\"
                columns: [{name: x, doc_blocks: 2, description: \"{{ doc('d').format(n='x') }}\"}]
            ",
    );
    project
        .run("parse")
        .success()
        .has("manifest.json", "/nodes/model.shop.a/doc_blocks", json!(["doc.shop.d"]))
        .has("manifest.json", "/nodes/model.shop.a/columns/x/doc_blocks", json!([]))
        .has("manifest.json", "/nodes/model.shop.a/columns/x/description", json!("the x"));
}

#[test]
fn the_manifest_keeps_what_was_written() {
    let project = Project::new();
    project
        .file("selectors.yml", "selectors: [{name: s, definition: 'tag:x'}]")
        .model("a", "{{ config(own=none, schema=none) }}select 1 as x")
        .model("b", "select * from {{ ref('a') }} union all select * from {{ ref('a') }}")
        .yaml("models: [{name: b, config: {own: \"{{ 'a' ~ 'b' }}\"}}]");
    let reference = json!({"name": "a", "package": null, "version": null});
    project
        .run("build")
        .success()
        .has("manifest.json", "/selectors/s/definition", json!({"method": "tag", "value": "x"}))
        .has("manifest.json", "/nodes/model.shop.a/config/own", json!(null))
        .has("manifest.json", "/nodes/model.shop.a/unrendered_config", json!({"own": null, "schema": null}))
        .has("manifest.json", "/nodes/model.shop.b/refs", json!([reference, reference]))
        .has("manifest.json", "/nodes/model.shop.b/unrendered_config", json!({"own": "ab"}));
}

#[test]
fn what_a_python_model_calls_of_dbt_is_in_the_manifest() {
    let project = Project::new();
    let code = "def model(dbt, session):\n    dbt.config(materialized='incremental', tags=['py'])\n    \
                b = dbt.source('raw', 'b')\n    return dbt.ref(\"a\").union(b)\n";
    project
        .sql("create schema raw; create table raw.b as select 2 as x")
        .config("models: {+materialized: view}")
        .model("a", "select 1 as x")
        .file("models/p.py", code)
        .file("models/q.py", "def model(dbt, session):\n    return dbt.ref('p')\n")
        .yaml("sources: [{name: raw, tables: [{name: b}]}]");
    let (p, q) = ("/nodes/model.shop.p", "/nodes/model.shop.q");
    project
        .run("build")
        .failure()
        .statuses(["a success", "p error", "q skipped"])
        .has("manifest.json", &format!("{p}/depends_on/nodes"), json!(["source.shop.raw.b", "model.shop.a"]))
        .has("manifest.json", &format!("{p}/config/materialized"), json!("incremental"))
        .has("manifest.json", &format!("{p}/tags"), json!(["py"]))
        .has("manifest.json", &format!("{q}/config/materialized"), json!("table"));
}

#[test]
fn what_stands_in_yaml_is_as_dbt_has_it() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .file("snapshots/s.yml", "snapshots: [{name: s, relation: ref('a'), config: {unique_key: x, strategy: check, check_cols: all}}]\n")
        .yaml(
            "
            models: [{name: a, config: {meta: {text: \"one\\n\\n\"}}}]
            sources: [{name: raw, config: {meta: {text: \"ends\\n\"}}, tables: [{name: t}]}]
            ",
        );
    // Of the file that the snapshot stands in, without white space at its ends.
    let checksum = "054bd0ef127f0bc7c5421464b95f3660b9807685ba0033d8d83067c37501f894";
    project
        .run("parse")
        .success()
        .has("manifest.json", "/nodes/snapshot.shop.s/checksum/checksum", json!(checksum))
        .has("manifest.json", "/nodes/model.shop.a/config/meta/text", json!("one\n"))
        .has("manifest.json", "/sources/source.shop.raw.t/config/meta/text", json!("ends"));
}
