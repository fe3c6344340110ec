//! What can be said of nodes only when all is known.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::manifest::{Id, Manifest, Node};

/// Primary keys, the groups of what tests test, and the schemas of unit tests.
pub fn finish(manifest: &mut Manifest) {
    let tests: Vec<&Node> = manifest.nodes.values().filter(|node| node.is_generic_test()).collect();
    let mut unique: HashMap<Id, Vec<(String, bool)>> = HashMap::new();
    for test in &tests {
        let Some(fields) = &test.test else { continue };
        let (Some(column), Some(node)) = (&fields.column_name, &fields.attached_node) else { continue };
        match fields.test_metadata.name.as_str() {
            "unique" => unique.entry(node.clone()).or_default().push((column.clone(), true)),
            "not_null" => unique.entry(node.clone()).or_default().push((column.clone(), false)),
            _ => {}
        }
    }
    let models = manifest.nodes.values().filter(|node| node.model.is_some());
    let key_of = |node: &Node| {
        let tested = unique.get(&node.unique_id).map(Vec::as_slice).unwrap_or_default();
        (node.unique_id.clone(), primary_key(node, tested, &tests))
    };
    let keys: Vec<(Id, Vec<String>)> = models.map(key_of).collect();
    for (id, key) in keys {
        if let Some(model) = manifest.nodes.get_mut(&id).and_then(|node| node.model.as_mut()) {
            Arc::make_mut(model).primary_key = key;
        }
    }
    let groups: HashMap<Id, String> = manifest
        .nodes
        .values()
        .filter_map(|node| Some((node.unique_id.clone(), node.config.get_str("group")?.to_owned())))
        .collect();
    for test in manifest.nodes.values_mut().filter_map(|node| node.test.as_mut()) {
        test.attached_group = test.attached_node.as_ref().and_then(|id| groups.get(id)).cloned();
    }
    let schemas: HashMap<Id, String> =
        manifest.nodes.iter().map(|(id, node)| (id.clone(), node.schema.clone())).collect();
    for test in manifest.unit_tests.values_mut() {
        test.schema = test.depends_on.nodes.first().and_then(|id| schemas.get(id)).cloned();
    }
}

/// dbt's guess at the primary key: a constraint, else columns that are tested to be unique and not null, else
/// unique ones, else a combination that dbt_utils tests.
fn primary_key(node: &Node, tested: &[(String, bool)], tests: &[&Node]) -> Vec<String> {
    let Some(model) = &node.model else { return Vec::new() };
    let is_key = |constraint: &&Json| constraint["type"] == "primary_key";
    if let Some(constraint) = model.constraints.iter().find(is_key) {
        let columns = constraint["columns"].as_array().into_iter().flatten();
        return columns.filter_map(|column| column.as_str().map(str::to_owned)).collect();
    }
    if let Some(column) = node.columns.values().find(|column| column.constraints.iter().any(|c| is_key(&c))) {
        return vec![column.name.clone()];
    }
    let names =
        |wanted: bool| tested.iter().filter(move |(_, unique)| *unique == wanted).map(|(name, _)| name);
    let unique: Vec<String> = names(true).cloned().collect();
    let both: Vec<String> =
        unique.iter().filter(|name| names(false).any(|other| other == *name)).cloned().collect();
    let mut found = if both.is_empty() { unique } else { both };
    if found.is_empty() {
        found = tests
            .iter()
            .filter_map(|test| test.test.as_ref())
            .filter(|fields| fields.attached_node.as_ref() == Some(&node.unique_id))
            .filter(|fields| fields.test_metadata.name == "unique_combination_of_columns")
            .filter_map(|fields| fields.test_metadata.kwargs.get("combination_of_columns")?.as_array())
            .flat_map(|columns| columns.iter().filter_map(|column| column.as_str().map(str::to_owned)))
            .collect();
    }
    found.sort();
    found.dedup();
    found
}
