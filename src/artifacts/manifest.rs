//! `manifest.json`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{timestamp, write_json};
use crate::error::Result;
use crate::flags::DBT_VERSION;
use crate::graph::{child_map, parent_map};
use crate::jinja::context::{Shared, md5_hex, metadata_env_vars};
use crate::manifest::{
    Compiled, Disabled, Doc, Exposure, Group, Id, Macro, Manifest, Metadata, Node, Quoting, SemanticResource,
    Source, UnitTest,
};

/// The file's shape.
#[derive(Serialize)]
struct ManifestFile<'a> {
    metadata: Metadata,
    nodes: IndexMap<&'a Id, NodeEntry<'a>>,
    sources: &'a IndexMap<Id, Source>,
    macros: &'a IndexMap<Id, Macro>,
    docs: &'a IndexMap<Id, Doc>,
    exposures: &'a IndexMap<Id, Exposure>,
    metrics: &'a IndexMap<Id, SemanticResource>,
    groups: &'a IndexMap<Id, Group>,
    selectors: &'a Map<String, Json>,
    disabled: &'a IndexMap<Id, Vec<Disabled>>,
    parent_map: IndexMap<Id, Vec<Id>>,
    child_map: IndexMap<Id, Vec<Id>>,
    group_map: IndexMap<String, Vec<Id>>,
    saved_queries: &'a IndexMap<Id, SemanticResource>,
    semantic_models: &'a IndexMap<Id, SemanticResource>,
    unit_tests: &'a IndexMap<Id, UnitTest>,
    functions: &'a IndexMap<Id, Node>,
}

/// A node, with what compiling added to it since it was parsed.
#[derive(Serialize)]
#[serde(untagged)]
enum NodeEntry<'a> {
    Parsed(&'a Node),
    Compiled(Box<Node>),
}

/// Writes the manifest. `compiled` is what this invocation compiled, by id.
pub fn write_manifest(
    path: &Path,
    manifest: &Manifest,
    shared: &Arc<Shared>,
    compiled: &HashMap<Id, Compiled>,
) -> Result<()> {
    let entry = |node: &'_ Node| compiled.get(&node.unique_id).map(|compiled| with_compiled(node, compiled));
    let nodes = manifest
        .nodes
        .iter()
        .map(|(id, node)| (id, entry(node).map_or(NodeEntry::Parsed(node), NodeEntry::Compiled)))
        .collect();
    let file = ManifestFile {
        metadata: metadata(shared),
        nodes,
        sources: &manifest.sources,
        macros: &manifest.macros,
        docs: &manifest.docs,
        exposures: &manifest.exposures,
        metrics: &manifest.metrics,
        groups: &manifest.groups,
        selectors: &manifest.selectors,
        disabled: &manifest.disabled,
        parent_map: parent_map(manifest),
        child_map: child_map(manifest),
        group_map: group_map(manifest),
        saved_queries: &manifest.saved_queries,
        semantic_models: &manifest.semantic_models,
        unit_tests: &manifest.unit_tests,
        functions: &manifest.functions,
    };
    write_json(path, &file)
}

fn with_compiled(node: &Node, compiled: &Compiled) -> Box<Node> {
    let mut node = Box::new(node.clone());
    node.compiled = Some(Box::new(compiled.clone()));
    node
}

fn metadata(shared: &Arc<Shared>) -> Metadata {
    Metadata {
        dbt_schema_version: "https://schemas.getdbt.com/dbt/manifest/v12.json".to_owned(),
        dbt_version: DBT_VERSION.to_owned(),
        generated_at: timestamp(Utc::now()),
        invocation_id: shared.invocation_id.clone(),
        invocation_started_at: timestamp(shared.run_started_at),
        env: metadata_env_vars().map(|(name, value)| (name, Json::from(value))).collect(),
        project_name: shared.project_name.to_string(),
        project_id: md5_hex(shared.project_name.as_bytes()),
        user_id: None,
        send_anonymous_usage_stats: false,
        adapter_type: "duckdb".to_owned(),
        quoting: Quoting {
            database: Some(shared.quoting.database),
            schema: Some(shared.quoting.schema),
            identifier: Some(shared.quoting.identifier),
            column: None,
        },
        run_started_at: shared.run_started_at.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string(),
    }
}

/// The members of each group.
fn group_map(manifest: &Manifest) -> IndexMap<String, Vec<Id>> {
    let mut map: IndexMap<String, Vec<Id>> =
        manifest.groups.values().map(|group| (group.name.clone(), Vec::new())).collect();
    let nodes = manifest.nodes.values().map(|node| (node.group(), &node.unique_id));
    let semantic = [&manifest.saved_queries, &manifest.semantic_models, &manifest.metrics];
    let semantic = semantic
        .into_iter()
        .flat_map(|kind| kind.values())
        .map(|entry| (entry.config.get_str("group"), &entry.unique_id));
    for (group, id) in nodes.chain(semantic) {
        if let Some(members) = group.and_then(|group| map.get_mut(group)) {
            members.push(id.clone());
        }
    }
    map
}
