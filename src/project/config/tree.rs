//! The configurations in `dbt_project.yml`: trees along which a node's path is walked.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::Config;
use crate::error::{Error, Result};
use crate::project::resource::ResourceType;
use crate::project::yaml::{Mapping, Yaml};

/// The sections of the project file that hold configuration trees.
const SECTIONS: [&str; 11] = [
    "models",
    "seeds",
    "snapshots",
    "sources",
    "data_tests",
    "unit_tests",
    "metrics",
    "semantic-models",
    "saved-queries",
    "exposures",
    "functions",
];

fn section_of(resource: ResourceType) -> usize {
    let name = match resource {
        ResourceType::Seed => "seeds",
        ResourceType::Snapshot => "snapshots",
        ResourceType::Source => "sources",
        ResourceType::Test => "data_tests",
        ResourceType::UnitTest => "unit_tests",
        ResourceType::Metric => "metrics",
        ResourceType::SemanticModel => "semantic-models",
        ResourceType::SavedQuery => "saved-queries",
        ResourceType::Exposure => "exposures",
        ResourceType::Function => "functions",
        _ => "models",
    };
    SECTIONS.iter().position(|section| *section == name).unwrap_or_default()
}

/// The section of the project file that configures a kind of resource, if one is named after it.
pub fn section_of_project(resource: ResourceType) -> Option<&'static str> {
    let section = SECTIONS[section_of(resource)];
    (section != "models" || resource == ResourceType::Model).then_some(section)
}

/// One level of a tree: what it configures, and the levels below by folder, package or file name.
#[derive(Debug, Default)]
struct Level {
    configs: Vec<(String, Arc<Value>)>,
    below: HashMap<String, Level>,
    /// What this level and those above it come to, for the resource type that the section is named after.
    resolved: OnceLock<Result<Config>>,
}

impl Level {
    /// A key with a `+` configures. A key without one does so too, unless its value is a mapping: then it is
    /// the name of a level below.
    fn new(section: &Mapping) -> Self {
        let mut level = Level::default();
        for (key, value) in section.iter() {
            let key = key.key_text();
            match (key.strip_prefix('+'), value.as_map()) {
                (Some(name), _) => level.configure(name.trim(), value),
                (None, Some(below)) => {
                    level.below.insert(key, Level::new(below));
                }
                (None, None) => level.configure(&key, value),
            }
        }
        level
    }

    /// Sets a key of this level; one that is spelled both with and without `+` counts once.
    fn configure(&mut self, key: &str, value: &Yaml) {
        let value = Arc::new(value.to_json());
        match self.configs.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => self.configs.push((key.to_owned(), value)),
        }
    }

    /// This level and those below it along a node's path.
    fn along<'a>(&'a self, fqn: &'a [String]) -> impl Iterator<Item = &'a Level> {
        let mut path = fqn.iter();
        std::iter::successors(Some(self), move |level| level.below.get(path.next()?))
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, Arc<Value>)> {
        self.configs.iter().map(|(key, value)| (key.as_str(), Arc::clone(value)))
    }

    fn collect_paths(&self, path: &[String], paths: &mut Vec<Vec<String>>) {
        if !self.configs.is_empty() {
            paths.push(path.to_vec());
        }
        let mut names: Vec<&String> = self.below.keys().collect();
        names.sort();
        for name in names {
            self.below[name].collect_paths(&[path, std::slice::from_ref(name)].concat(), paths);
        }
    }
}

/// The configuration trees of one project file.
#[derive(Debug, Default)]
pub struct ConfigTrees {
    sections: [Level; SECTIONS.len()],
}

impl ConfigTrees {
    /// Takes the trees out of a project file's mapping. Sections that are missing or empty configure nothing.
    pub fn new(project: &Mapping) -> Self {
        ConfigTrees {
            sections: SECTIONS
                .map(|section| section_of_file(project, section).map(Level::new).unwrap_or_default()),
        }
    }

    /// Every place in the trees that configures something: the section and the path in it, to be matched
    /// against what exists.
    pub fn paths(&self) -> Vec<(&'static str, Vec<String>)> {
        let mut all = Vec::new();
        for (section, level) in SECTIONS.iter().zip(&self.sections) {
            let mut paths = Vec::new();
            level.collect_paths(&[], &mut paths);
            all.extend(paths.into_iter().map(|path| (*section, path)));
        }
        all
    }

    fn layers<'a>(&'a self, resource: ResourceType, fqn: &'a [String]) -> impl Iterator<Item = &'a Level> {
        self.sections[section_of(resource)].along(fqn)
    }

    /// What the tree says about a node. Nodes share the values, and the work.
    fn resolved(&self, resource: ResourceType, fqn: &[String]) -> Result<Config> {
        let defaults = Config::new(resource);
        let overlaid = |config: &Config, level: &Level| {
            let mut config = config.clone();
            config.overlay(level.pairs())?;
            config.settle();
            Ok(config)
        };
        if !is_named_after(resource) {
            return self.layers(resource, fqn).try_fold(defaults, |config, level| overlaid(&config, level));
        }
        let mut nearest = &defaults;
        for level in self.layers(resource, fqn) {
            nearest =
                level.resolved.get_or_init(|| overlaid(nearest, level)).as_ref().map_err(Error::clone)?;
        }
        Ok(nearest.clone())
    }
}

/// Whether a section of the project file bears the name of a resource type; others share that of models.
fn is_named_after(resource: ResourceType) -> bool {
    resource == ResourceType::Model || section_of(resource) != section_of(ResourceType::Model)
}

fn section_of_file<'a>(project: &'a Mapping, section: &str) -> Option<&'a Mapping> {
    project.get(section)?.as_map()
}

/// Resolves the configuration of a node. Nearer layers win, key by key as each key combines:
/// the tree of the node's own project file, then its YAML properties, then the `config()` calls in its file,
/// and for a node of a package at last the tree of the root project.
///
/// `root` is `None` for the root project's own nodes. `fqn` is the node's path: package, folders, name, version.
///
/// # Errors
/// If a value does not have the shape that its key wants; the caller knows the place.
pub fn resolve(
    resource: ResourceType,
    own: &ConfigTrees,
    root: Option<&ConfigTrees>,
    fqn: &[String],
    properties: Option<&Map<String, Value>>,
    calls: Option<&Map<String, Value>>,
) -> Result<Config> {
    let mut config = own.resolved(resource, fqn)?;
    let layers: Vec<_> = [properties, calls].into_iter().flatten().collect();
    config.overlay_own(&layers)?;
    for level in root.into_iter().flat_map(|root| root.layers(resource, fqn)) {
        config.overlay(level.pairs())?;
    }
    config.finish()?;
    Ok(config)
}

/// The same layers as in [`resolve`], from unrendered trees and texts, for the `unrendered_config` of
/// artifacts: nearer layers replace whole values, and nothing is checked.
pub fn resolve_unrendered(
    resource: ResourceType,
    own: &ConfigTrees,
    root: Option<&ConfigTrees>,
    fqn: &[String],
    properties: Option<&Map<String, Value>>,
    calls: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    // dbt looks for functions among the models here, and for these two nowhere.
    let section = match resource {
        ResourceType::Function => Some(ResourceType::Model),
        ResourceType::SemanticModel | ResourceType::SavedQuery => None,
        resource => Some(resource),
    };
    let from_tree = |trees: &ConfigTrees, config: &mut Map<String, Value>| {
        for level in section.into_iter().flat_map(|section| trees.layers(section, fqn)) {
            config.extend(level.configs.iter().map(|(key, value)| (key.clone(), Value::clone(value))));
        }
    };
    let mut config = Map::new();
    from_tree(own, &mut config);
    for layer in [properties, calls].into_iter().flatten() {
        config.extend(layer.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    if let Some(root) = root {
        from_tree(root, &mut config);
    }
    config
}
