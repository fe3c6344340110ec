//! `manifest.json`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::pieces::Pieces;
use super::timestamp;
use crate::error::Result;
use crate::flags::DBT_VERSION;
use crate::graph::{child_map, parent_map};
use crate::jinja::context::{Shared, md5_hex, metadata_env_vars};
use crate::manifest::{Compiled, Id, Manifest, Metadata, Quoting, WithCompiled};

/// Writes the manifest. `compiled` is what this invocation compiled, by id; `project` names the parsed project that the
/// manifest is of, if another invocation may meet it again; `last`: whether this invocation writes it no more. `selectors`
/// are those of `selectors.yml`, written out.
pub fn write_manifest(
    path: &Path,
    manifest: &Manifest,
    shared: &Arc<Shared>,
    selectors: &Map<String, Json>,
    compiled: &HashMap<Id, Compiled>,
    project: Option<&str>,
    last: bool,
) -> Result<()> {
    let always = |_: &Id| true;
    let mut pieces = Pieces::default();
    pieces.text("{");
    pieces.value("metadata", false, move || metadata(shared));
    pieces.map(
        "nodes",
        &manifest.nodes,
        |id| !compiled.contains_key(id),
        |id, node| WithCompiled { node, compiled: compiled.get(id) },
    );
    pieces.map("sources", &manifest.sources, always, |_, source| source);
    pieces.map("macros", &manifest.macros, always, |_, entry| entry);
    pieces.map("docs", &manifest.docs, always, |_, doc| doc);
    pieces.map("exposures", &manifest.exposures, always, |_, exposure| exposure);
    pieces.map("metrics", &manifest.metrics, always, |_, metric| metric);
    pieces.map("groups", &manifest.groups, always, |_, group| group);
    pieces.value("selectors", true, || selectors);
    pieces.map("disabled", &manifest.disabled, always, |_, resources| resources);
    pieces.value("parent_map", true, || parent_map(manifest));
    pieces.value("child_map", true, || child_map(manifest));
    pieces.value("group_map", true, || group_map(manifest));
    pieces.map("saved_queries", &manifest.saved_queries, always, |_, query| query);
    pieces.map("semantic_models", &manifest.semantic_models, always, |_, model| model);
    pieces.map("unit_tests", &manifest.unit_tests, always, |_, test| test);
    pieces.map("functions", &manifest.functions, always, |_, function| function);
    pieces.text("}");
    pieces.write(path, project, last)
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
