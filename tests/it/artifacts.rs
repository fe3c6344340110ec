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
