//! The semantic layer in the manifest: what is read, what it depends on, and what is wrong with it.

use crate::support::Project;

/// A semantic model with two measures, of which one makes a metric, and a derived metric of two.
fn project() -> Project {
    let project = Project::new();
    project
        .model("people", "select 1 as id, date '2024-01-01' as born, 3 as tenure")
        .model("metricflow_time_spine", "select date '2024-01-01' as date_day")
        .yaml(
            "
            semantic_models:
              - name: people
                model: ref('people')
                defaults: {agg_time_dimension: born}
                entities: [{name: id, type: primary}]
                dimensions: [{name: born, type: TIME, type_params: {time_granularity: DAY}}]
                measures:
                  - {name: years, agg: SUM, expr: tenure, create_metric: true}
                  - {name: heads, agg: count, expr: 1}
            metrics:
              - name: share
                label: Share
                type: derived
                type_params: {expr: years / all_heads, metrics: [years, {name: all_heads, offset_window: 2 months}]}
              - name: all_heads
                label: Heads
                type: simple
                type_params: {measure: {name: heads, filter: tenure > 1}}
            ",
        );
    project
}

#[test]
fn metrics_know_their_measures() {
    let project = project();
    project.run("parse").success();
    let manifest: serde_json::Value =
        serde_json::from_str(&project.read("target/manifest.json")).expect("valid JSON");
    let share = &manifest["metrics"]["metric.shop.share"];
    assert_eq!(
        share["depends_on"]["nodes"],
        serde_json::json!(["metric.shop.years", "metric.shop.all_heads"])
    );
    let inputs: Vec<&serde_json::Value> = share["type_params"]["input_measures"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| &m["name"])
        .collect();
    assert_eq!(inputs, ["years", "heads"]);
    let window = &share["type_params"]["metrics"][1]["offset_window"];
    assert_eq!(*window, serde_json::json!({"count": 2, "granularity": "month"}));
    let model = &manifest["semantic_models"]["semantic_model.shop.people"];
    assert_eq!(model["node_relation"]["alias"], "people");
    assert_eq!(model["measures"][0]["agg"], "sum");
}

#[test]
fn a_time_spine_is_needed() {
    let project = project();
    project.remove("models/metricflow_time_spine.sql");
    project.run("parse").refused().says("requires a time spine model with granularity DAY or smaller");
    let without_metrics = project.read("models/schema.yml").replace(", create_metric: true", "");
    let (models, _) = without_metrics.split_once("metrics:\n").expect("the metrics come last");
    project.file("models/schema.yml", models);
    project.run("parse").refused().says("requires a time spine model with granularity DAY or smaller");
}

#[test]
fn mistakes_are_told_at_their_lines() {
    let project = project();
    let wrong =
        project.read("models/schema.yml").replace("agg: count", "aggr: count").replace("derived", "derivd");
    project.file("models/schema.yml", &wrong);
    project
        .run("parse")
        .refused()
        .says("models/schema.yml:9:23")
        .says("('aggr' was unexpected)")
        .says("did you mean 'agg'?")
        .says("'derivd' is not a value of `type`")
        .says("did you mean 'derived'?");
}
