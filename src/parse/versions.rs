//! Versions of a model (<https://docs.getdbt.com/docs/mesh/govern/model-versions>).

use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::columns;
use super::properties::{Properties, PropertyIndex};
use super::sql_nodes::VersionOf;
use crate::error::{Error, Location, Result};
use crate::manifest::{Column, Manifest, ResourceType, version_suffix};
use crate::project::yaml::Yaml;

/// The versions under `versions:` of a model's entry.
pub fn versions(entry: &Properties) -> &[Yaml] {
    entry.yaml.get("versions").and_then(Yaml::as_seq).unwrap_or_default()
}

/// The entry of one version.
pub fn entry_of<'a>(entry: &'a Properties, version: &Json) -> Option<&'a Yaml> {
    versions(entry).iter().find(|item| item.get("v").map(Yaml::to_json).as_ref() == Some(version))
}

/// The latest version: the one that is named so, else the greatest.
pub fn latest(entry: &Properties) -> Json {
    if let Some(latest) = entry.yaml.get("latest_version").filter(|latest| !latest.is_null()) {
        return latest.to_json();
    }
    let all = versions(entry).iter().filter_map(|item| item.get("v")).map(Yaml::to_json);
    all.reduce(|a, b| if greater(&b, &a) { b } else { a }).unwrap_or(Json::Null)
}

fn text_of(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// Numbers compare as numbers, everything else as text.
fn greater(a: &Json, b: &Json) -> bool {
    let number = |json: &Json| json.as_f64().or_else(|| json.as_str()?.parse().ok());
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a > b,
        _ => text_of(a) > text_of(b),
    }
}

/// Which files hold versions: from the stem of a file to the model and its version.
#[derive(Debug, Default)]
pub struct VersionFiles(IndexMap<(String, String), (String, VersionOf)>);

impl VersionFiles {
    /// Finds the files of all versions. `exists(package, stem)` tells whether there is such a model file.
    pub fn new(index: &PropertyIndex, exists: impl Fn(&str, &str) -> bool) -> Self {
        let mut files = IndexMap::new();
        for entry in index.of_kind(ResourceType::Model) {
            let latest = latest(entry);
            for item in versions(entry) {
                let Some(version) = item.get("v").map(Yaml::to_json) else { continue };
                let suffixed = format!("{}_{}", entry.name, version_suffix(&version));
                let stem = item.get("defined_in").and_then(Yaml::as_str).map_or(suffixed, str::to_owned);
                let stem = if !exists(&entry.package, &stem) && version == latest {
                    entry.name.clone()
                } else {
                    stem
                };
                let key = (entry.package.to_string(), stem);
                files.insert(key, (entry.name.clone(), VersionOf { version, latest: latest.clone() }));
            }
        }
        VersionFiles(files)
    }

    /// The model and version that a file holds, if it holds one.
    pub fn of(&self, package: &str, stem: &str) -> Option<(String, VersionOf)> {
        self.0.get(&(package.to_owned(), stem.to_owned())).cloned()
    }
}

/// The columns of a version: its own list, in which `include` and `exclude` choose among the model's.
pub fn columns_of(entry: &Properties, version: &Yaml, path: &Path) -> Result<IndexMap<String, Column>> {
    let all = columns::columns(&entry.yaml, path)?;
    let Some(own) = version.get("columns").and_then(Yaml::as_seq) else { return Ok(all) };
    let mut chosen = IndexMap::new();
    let includes = own.iter().find(|item| item.get("include").is_some());
    let keeps_all = includes.is_none();
    for (name, column) in all {
        if keeps_all || includes.is_some_and(|rule| selects(rule, &name)) {
            chosen.insert(name, column);
        }
    }
    for item in own.iter().filter(|item| item.get("include").is_none()) {
        let column = columns::column(item, path)?;
        chosen.insert(column.name.clone(), column);
    }
    Ok(chosen)
}

/// Whether an `include`/`exclude` rule keeps a column.
pub fn selects(rule: &Yaml, column: &str) -> bool {
    let lists = |yaml: Option<&Yaml>| match yaml {
        Some(yaml) => match yaml.as_seq() {
            Some(items) => items.iter().any(|item| item.as_str() == Some(column)),
            None => matches!(yaml.as_str(), Some("*" | "all")),
        },
        None => false,
    };
    lists(rule.get("include")) && !lists(rule.get("exclude"))
}

/// A unit test of a model that has versions becomes one test for each of them, or for those that it includes or does not
/// exclude.
///
/// # Errors
/// If a test is left with no version to test.
pub fn expand_unit_tests(manifest: &mut Manifest) -> Result<()> {
    let mut errors = Vec::new();
    for (id, test) in std::mem::take(&mut manifest.unit_tests) {
        let versions: Vec<Json> = manifest
            .nodes
            .values()
            .filter(|node| node.name == test.model && node.package_name == test.package_name)
            .filter_map(|node| node.version().cloned())
            .collect();
        if versions.is_empty() {
            manifest.unit_tests.insert(id, test);
            continue;
        }
        let listed = |key: &str, version: &Json| {
            let list = test.versions.as_ref().and_then(|rule| rule.get(key)?.as_array());
            list.map(|list| list.contains(version))
        };
        let is_tested = |version: &&Json| match listed("exclude", version) {
            Some(is_excluded) => !is_excluded,
            None => listed("include", version).unwrap_or(true),
        };
        let tested: Vec<&Json> = versions.iter().filter(is_tested).collect();
        if tested.is_empty() {
            let message = format!(
                "Unit test '{}' referenced a version of '{}' which was not found.",
                test.name, test.model
            );
            let error =
                Error::parsing(message).help("name versions of the model under `versions:` of the test");
            errors.push(error.at(Location::new(&test.original_file_path, test.line, 0)));
        }
        for version in tested {
            let mut test = test.clone();
            test.unique_id = format!("{id}_{}", version_suffix(version)).into();
            test.version = Some(version.clone());
            manifest.unit_tests.insert(test.unique_id.clone(), test);
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}
