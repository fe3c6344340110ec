//! The generic tests in the entries of models, seeds and snapshots; of each version, if a model has any.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::assemble::add_test_nodes;
use super::generic_tests::{TargetKind, TestTarget};
use super::properties::{Properties, PropertyIndex};
use super::sql_nodes::Parsed;
use super::stages::collect;
use super::{Parser, versions};
use crate::error::Result;
use crate::manifest::{Id, Manifest, ResourceType};
use crate::project::yaml::Yaml;

/// Tests of models, seeds and snapshots.
pub fn add(parser: &Parser, manifest: &mut Manifest, properties: &PropertyIndex) -> Result<()> {
    let tested = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot];
    let entries: Vec<&Arc<Properties>> =
        properties.all.iter().filter(|entry| tested.contains(&entry.kind)).collect();
    let known: &Manifest = manifest;
    let parsed = collect(entries.par_iter().map(|entry| tests_of(parser, known, entry)).collect())?;
    add_test_nodes(manifest, parsed.into_iter().flatten().collect())
}

/// The tests in the entry of a model, seed or snapshot; of each version, if it has any.
fn tests_of(parser: &Parser, manifest: &Manifest, entry: &Properties) -> Result<Vec<Parsed>> {
    let versions = versions::versions(entry);
    if versions.is_empty() {
        return tests_of_version(parser, manifest, entry, None);
    }
    let mut tests = Vec::new();
    for version in versions {
        tests.extend(tests_of_version(parser, manifest, entry, Some(version))?);
    }
    Ok(tests)
}

fn tests_of_version(
    parser: &Parser,
    manifest: &Manifest,
    entry: &Properties,
    version: Option<&Yaml>,
) -> Result<Vec<Parsed>> {
    let number = version.and_then(|version| version.get("v")).map(Yaml::to_json);
    let id = match &number {
        Some(number) => {
            format!("model.{}.{}.{}", entry.package, entry.name, crate::manifest::version_suffix(number))
        }
        None => format!("{}.{}.{}", entry.kind, entry.package, entry.name),
    };
    let reference = match &number {
        Some(number) => {
            let text = number.as_str().map_or_else(|| number.to_string(), str::to_owned);
            format!("ref('{}', version='{text}')", entry.name)
        }
        None => format!("ref('{}')", entry.name),
    };
    let section = match entry.kind {
        ResourceType::Model => "models",
        ResourceType::Seed => "seeds",
        _ => "snapshots",
    };
    let target = TestTarget {
        name: &entry.name,
        reference,
        kind: TargetKind::Ref { version: number.as_ref() },
        package: &entry.package,
        file: &entry.file,
        path: &entry.path,
        file_key_name: format!("{section}.{}", entry.name),
        attached_node: attached_node(manifest, entry, id),
    };
    let tests = |yaml: &Yaml| yaml.get("data_tests").or_else(|| yaml.get("tests")).cloned();
    let mut parsed = Vec::new();
    for (column, tags) in version_columns(entry, version) {
        let Some(name) = column.get("name").map(Yaml::key_text) else { continue };
        let quoted = column.get("quote").and_then(Yaml::as_bool).unwrap_or(false);
        let name = if quoted { crate::sql::quote_identifier(&name) } else { name };
        parsed.extend(parser.parse_tests(&target, tests(column).as_ref(), Some(&name), &tags)?);
    }
    let own = version.and_then(tests).or_else(|| tests(&entry.yaml));
    parsed.extend(parser.parse_tests(&target, own.as_ref(), None, &[])?);
    Ok(parsed)
}

/// The node that a test is attached to: the one that `ref` finds in the package, else one that is switched off.
fn attached_node(manifest: &Manifest, entry: &Properties, id: String) -> Option<Id> {
    let of_kind = |kind: ResourceType| format!("{kind}.{}.{}", entry.package, entry.name);
    let other = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot].map(of_kind);
    let found = std::iter::once(&id).chain(&other).find(|id| manifest.nodes.contains_key(id.as_str()));
    let found = found.cloned().or_else(|| manifest.disabled.contains_key(id.as_str()).then_some(id));
    found.map(|id| id.as_str().into())
}

/// The columns whose tests apply to a version, with the tags that their tests get.
fn version_columns<'a>(entry: &'a Properties, version: Option<&'a Yaml>) -> Vec<(&'a Yaml, Vec<Json>)> {
    let list = |yaml: &'a Yaml| yaml.get("columns").and_then(Yaml::as_seq).unwrap_or_default();
    let base = list(&entry.yaml).iter();
    let own = version.map(list).unwrap_or_default();
    let rule = own.iter().find(|item| item.get("include").is_some());
    let overridden =
        |name: &str| own.iter().any(|item| item.get("name").and_then(Yaml::as_str) == Some(name));
    let chosen = base.filter(|column| {
        let name = column.get("name").map(Yaml::key_text).unwrap_or_default();
        !overridden(&name) && rule.is_none_or(|rule| versions::selects(rule, &name))
    });
    let all = chosen.chain(own.iter().filter(|item| item.get("include").is_none()));
    all.map(|column| {
        let tags = [column.get("tags"), column.get("config").and_then(|config| config.get("tags"))];
        (column, tags.into_iter().flatten().map(Yaml::to_json).collect())
    })
    .collect()
}
