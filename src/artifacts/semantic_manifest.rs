//! `semantic_manifest.json`: the semantic layer in the shape that MetricFlow reads
//! (<https://docs.getdbt.com/docs/build/sl-manifest>).

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::write_json;
use crate::error::Result;
use crate::manifest::{Manifest, Node, SemanticResource};

/// The version of dbt-semantic-interfaces that dbt 1.11 brings.
const INTERFACES: [&str; 3] = ["0", "9", "0"];

/// The model that was the time spine before there was a property for it.
const LEGACY_SPINE: &str = "metricflow_time_spine";

/// Writes the semantic manifest.
///
/// # Errors
/// The file cannot be written.
pub fn write_semantic_manifest(path: &Path, manifest: &Manifest) -> Result<()> {
    let spines: Vec<Spine> = manifest.nodes.values().filter_map(Spine::of).collect();
    let legacy = manifest.nodes.values().find(|node| node.name == LEGACY_SPINE && node.model.is_some());
    let legacy = legacy.filter(|_| !manifest.semantic_models.is_empty());
    let tables: Vec<Json> =
        legacy.filter(|node| time_spine(node).is_none()).map(legacy_spine).into_iter().collect();
    let [major, minor, patch] = INTERFACES;
    let content = json!({
        "semantic_models": manifest.semantic_models.values().map(semantic_model).collect::<Vec<_>>(),
        "metrics": manifest.metrics.values().map(metric).collect::<Vec<_>>(),
        "project_configuration": {
            "time_spine_table_configurations": tables,
            "metadata": null,
            "dsi_package_version": { "major_version": major, "minor_version": minor, "patch_version": patch },
            "time_spines": spines.iter().map(Spine::to_json).collect::<Vec<_>>(),
        },
        "saved_queries": manifest.saved_queries.values().map(saved_query).collect::<Vec<_>>(),
    });
    write_json(path, &content)
}

/// A model with one row for each moment.
struct Spine<'a> {
    node: &'a Node,
    column: &'a str,
    granularity: &'a str,
    custom: &'a [Json],
}

fn time_spine(node: &Node) -> Option<&Json> {
    node.model.as_ref()?.time_spine.as_ref()
}

impl<'a> Spine<'a> {
    fn of(node: &'a Node) -> Option<Spine<'a>> {
        let spine = time_spine(node)?;
        let column = spine["standard_granularity_column"].as_str()?;
        let granularity = node.columns.get(column)?.granularity.as_deref()?;
        let custom = spine["custom_granularities"].as_array().map(Vec::as_slice).unwrap_or_default();
        Some(Spine { node, column, granularity, custom })
    }

    fn to_json(&self) -> Json {
        let node = self.node;
        let unquoted = || format!("{}.{}.{}", node.database, node.schema, node.alias);
        let custom = |granularity: &Json| picked(granularity, &["name", "column_name"]);
        json!({
            "node_relation": {
                "alias": node.alias,
                "schema_name": node.schema,
                "database": node.database,
                "relation_name": node.relation_name.clone().unwrap_or_else(unquoted),
            },
            "primary_column": { "name": self.column, "time_granularity": self.granularity },
            "custom_granularities": self.custom.iter().map(custom).collect::<Vec<_>>(),
        })
    }
}

fn legacy_spine(node: &Node) -> Json {
    json!({ "location": node.relation_name, "column_name": "date_day", "grain": "day" })
}

fn semantic_model(model: &SemanticResource) -> Json {
    let mut fields = named(model);
    fields["config"] = meta_of(model);
    pick_into(
        &mut fields,
        &Json::Object(model.fields.clone()),
        &[
            "defaults",
            "description",
            "node_relation",
            "primary_entity",
            "entities",
            "measures",
            "dimensions",
            "label",
        ],
    );
    fields["metadata"] = Json::Null;
    for elements in ["entities", "measures"] {
        for element in fields[elements].as_array_mut().into_iter().flatten() {
            element["metadata"] = Json::Null;
        }
    }
    fields
}

fn metric(metric: &SemanticResource) -> Json {
    let mut fields = named(metric);
    fields["config"] = meta_of(metric);
    pick_into(
        &mut fields,
        &Json::Object(metric.fields.clone()),
        &["description", "type", "type_params", "filter", "metadata", "label", "time_granularity"],
    );
    // What dbt has beyond MetricFlow.
    let params = &mut fields["type_params"];
    if let Some(params) = params.as_object_mut() {
        params.remove("metric_aggregation_params");
    }
    if let Some(params) = params["cumulative_type_params"].as_object_mut() {
        params.remove("metric");
    }
    fields
}

fn saved_query(query: &SemanticResource) -> Json {
    let mut fields = named(query);
    pick_into(
        &mut fields,
        &Json::Object(query.fields.clone()),
        &["query_params", "description", "metadata", "label", "exports", "tags"],
    );
    for export in fields["exports"].as_array_mut().into_iter().flatten() {
        let config = picked(&export["config"], &["export_as", "schema_name", "alias"]);
        *export = json!({ "name": export["name"], "config": config });
    }
    fields
}

fn named(resource: &SemanticResource) -> Json {
    json!({ "name": resource.name })
}

/// Of the configuration, MetricFlow knows `meta` alone.
fn meta_of(resource: &SemanticResource) -> Json {
    json!({ "meta": resource.config.get("meta").cloned().unwrap_or_else(|| Json::Object(Map::new())) })
}

fn picked(from: &Json, keys: &[&str]) -> Json {
    let mut picked = Json::Object(Map::new());
    pick_into(&mut picked, from, keys);
    picked
}

fn pick_into(into: &mut Json, from: &Json, keys: &[&str]) {
    for key in keys {
        into[*key] = from[*key].clone();
    }
}
