//! What was parsed comes into the manifest: each thing once, what is disabled apart.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::properties::{Properties, PropertyIndex};
use super::sql_nodes::Parsed;
use super::stages::collect;
use super::yaml_resources::{FixtureFiles, duplicate};
use super::{Parser, sources};
use crate::error::{Error, Result};
use crate::events::Warning;
use crate::manifest::{Disabled, Id, Manifest, Node, ResourceType};

/// Puts nodes into the manifest; names must be unique among what `ref` can name, and within a kind.
pub fn add_nodes(parser: &Parser, manifest: &mut Manifest, parsed: Vec<Parsed>) -> Result<()> {
    let mut errors = Vec::new();
    let mut refable: HashMap<(String, String, Option<String>), Id> = HashMap::new();
    let must_be_unique = parser.shared.flags.behavior.require_unique_project_resource_names;
    for node in parsed {
        let node = match node.into_disabled() {
            Ok(disabled) => {
                let Disabled::Node(node) = &disabled else { continue };
                manifest.disabled.entry(node.unique_id.clone()).or_default().push(disabled);
                continue;
            }
            Err(node) => *node,
        };
        if node.resource_type.is_refable() {
            let version = node.version().map(ToString::to_string);
            let key = (node.package_name.to_string(), node.name.clone(), version);
            if let Some(first) = refable.insert(key, node.unique_id.clone()) {
                let other = manifest.nodes.get(&first);
                let is_other_kind = other.is_some_and(|other| other.resource_type != node.resource_type);
                let first = other.map_or_else(|| first.to_string(), place_of);
                if must_be_unique || !is_other_kind {
                    errors.push(duplicate(node.resource_type, &node.name, &first, &place_of(&node)));
                    continue;
                }
                let message = format!(
                    "Found resources with the same name '{}' in project '{}': {first} and {}. Rename one of them: a \
                     reference to the name could mean either.",
                    node.name,
                    node.package_name,
                    place_of(&node)
                );
                parser.warn(Warning::new("DuplicateNameDistinctNodeTypesDeprecation", message));
            }
        }
        let map = match node.resource_type {
            ResourceType::Function => &mut manifest.functions,
            _ => &mut manifest.nodes,
        };
        if let Some(first) = map.get(&node.unique_id) {
            errors.push(duplicate(node.resource_type, &node.name, &place_of(first), &place_of(&node)));
            continue;
        }
        map.insert(node.unique_id.clone(), node);
    }
    errors.extend(same_relations(manifest));
    Error::many(errors).map_or(Ok(()), Err)
}

/// An entry cannot switch on several nodes of one name.
pub fn check_disabled(manifest: &Manifest, properties: &PropertyIndex) -> Result<()> {
    let wants_enabled = |entry: &&Arc<Properties>| entry.config.get("enabled") == Some(&Json::Bool(true));
    let kinds = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Analysis];
    let entries = properties.all.iter().filter(|entry| kinds.contains(&entry.kind)).filter(wants_enabled);
    let errors = entries.filter_map(|entry| {
        let id = format!("{}.{}.{}", entry.kind, entry.package, entry.name);
        let disabled = manifest.disabled.get(id.as_str()).filter(|found| found.len() > 1)?;
        if manifest.nodes.contains_key(id.as_str()) {
            return None;
        }
        let files: String = disabled
            .iter()
            .map(|disabled| format!("\n- {}", disabled.resource().original_file_path()))
            .collect();
        let message = format!(
            "Found {} matching disabled nodes for {} '{}': a property file cannot enable more than one.",
            disabled.len(),
            entry.kind,
            entry.name
        );
        let help = format!("enable one of them in its file or in dbt_project.yml:{files}");
        Some(entry.error(message).help(help))
    });
    Error::many(errors.collect()).map_or(Ok(()), Err)
}

fn place_of(node: &Node) -> String {
    format!("{} ({})", node.unique_id, node.original_file_path)
}

/// Two nodes must not build the same relation.
fn same_relations(manifest: &Manifest) -> Vec<Error> {
    let mut seen: HashMap<String, &Node> = HashMap::new();
    let mut errors = Vec::new();
    let built = manifest.nodes.values().filter(|node| node.resource_type.is_refable());
    for node in built {
        let Some(relation) = &node.relation_name else { continue };
        if let Some(first) = seen.insert(relation.to_lowercase(), node) {
            errors.push(
                Error::compilation(format!(
                    "dbt found two resources with the database representation \"{}\": \
                     the second would replace what the first has built.",
                    relation.trim_matches('"')
                ))
                .help(format!(
                    "change the configuration of one of these, for example its alias or schema:\n- {}\n- {}",
                    place_of(first),
                    place_of(node)
                )),
            );
        }
    }
    errors
}

/// Sources, with their tests.
pub fn add_sources(parser: &Parser, manifest: &mut Manifest, properties: &PropertyIndex) -> Result<()> {
    let entries: Vec<&Arc<Properties>> = properties.of_kind(ResourceType::Source).collect();
    let patches = sources::patches(entries.iter().copied())?;
    let parsed = collect(entries.par_iter().map(|entry| parser.parse_source(entry, &patches)).collect())?;
    let mut errors = Vec::new();
    let mut tests = Vec::new();
    for group in parsed {
        tests.extend(group.tests);
        for source in group.sources {
            if source.config.get_bool("enabled") == Some(false) {
                let id = source.unique_id.clone();
                manifest.disabled.entry(id).or_default().push(Disabled::Source(Box::new(source)));
                continue;
            }
            if let Some(first) = manifest.sources.get(&source.unique_id) {
                let name = source.search_name();
                let (first, second) = (&first.original_file_path, &source.original_file_path);
                errors.push(duplicate(ResourceType::Source, &name, first, second));
                continue;
            }
            manifest.sources.insert(source.unique_id.clone(), source);
        }
    }
    parser.warn_unused_patches(&patches);
    match Error::many(errors) {
        Some(error) => Err(error),
        None => add_test_nodes(manifest, tests),
    }
}

/// Generic tests.
pub fn add_test_nodes(manifest: &mut Manifest, tests: Vec<Parsed>) -> Result<()> {
    let mut errors = Vec::new();
    for test in tests {
        match test.into_disabled() {
            Ok(disabled) => {
                let Disabled::Node(node) = &disabled else { continue };
                manifest.disabled.entry(node.unique_id.clone()).or_default().push(disabled);
            }
            Err(node) => {
                if let Some(first) = manifest.nodes.get(&node.unique_id) {
                    let (first, second) = (&first.original_file_path, &node.original_file_path);
                    errors.push(duplicate(ResourceType::Test, &node.name, first, second));
                    continue;
                }
                manifest.nodes.insert(node.unique_id.clone(), *node);
            }
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}

/// What YAML alone defines: exposures, groups, unit tests, the semantic layer.
pub fn add_yaml_resources(
    parser: &Parser,
    manifest: &mut Manifest,
    fixtures: &FixtureFiles,
    properties: &PropertyIndex,
) -> Result<()> {
    let mut errors = Vec::new();
    for entry in &properties.all {
        if let Err(error) = add_yaml_resource(parser, manifest, entry, fixtures) {
            errors.push(error);
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}

fn add_yaml_resource(
    parser: &Parser,
    manifest: &mut Manifest,
    entry: &Properties,
    fixtures: &FixtureFiles,
) -> Result<()> {
    let twice = |first: &str| Err(duplicate(entry.kind, &entry.name, first, &entry.file));
    let enabled = |config: &crate::project::config::Config| config.get_bool("enabled") != Some(false);
    match entry.kind {
        ResourceType::Exposure => {
            let exposure = parser.parse_exposure(entry)?;
            let id = exposure.unique_id.clone();
            if !enabled(&exposure.config) {
                manifest.disabled.entry(id).or_default().push(Disabled::Exposure(Box::new(exposure)));
            } else if let Some(first) = manifest.exposures.insert(id, exposure) {
                return twice(&first.original_file_path);
            }
        }
        ResourceType::Group => {
            let group = parser.parse_group(entry)?;
            if let Some(first) = manifest.groups.insert(group.unique_id.clone(), group) {
                return twice(&first.original_file_path);
            }
        }
        ResourceType::UnitTest => {
            let test = parser.parse_unit_test(entry, fixtures)?;
            let id = test.unique_id.clone();
            if !enabled(&test.config) {
                manifest.disabled.entry(id).or_default().push(Disabled::UnitTest(Box::new(test)));
            } else if let Some(first) = manifest.unit_tests.insert(id, test) {
                return twice(&first.original_file_path);
            }
        }
        ResourceType::Metric | ResourceType::SemanticModel | ResourceType::SavedQuery => {
            for resource in parser.parse_semantic(entry)? {
                let map = match resource.resource_type {
                    ResourceType::Metric => &mut manifest.metrics,
                    ResourceType::SemanticModel => &mut manifest.semantic_models,
                    _ => &mut manifest.saved_queries,
                };
                let id = resource.unique_id.clone();
                if !enabled(&resource.config) {
                    manifest.disabled.entry(id).or_default().push(Disabled::Semantic(Box::new(resource)));
                } else if let Some(first) = map.insert(id, resource) {
                    return Err(duplicate(
                        first.resource_type,
                        &first.name,
                        &first.original_file_path,
                        &entry.file,
                    ));
                }
            }
        }
        _ => return Ok(()),
    }
    entry.mark_used();
    Ok(())
}
