//! Finding what a `ref()`, `source()` or `metric()` names.

use std::collections::{HashMap, hash_map};
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Disabled, Id, Manifest, Node, RefArgs, Reference};

/// Names to ids, built once after parsing.
#[derive(Debug, Default, Clone)]
pub struct Lookup {
    refs: HashMap<String, Vec<Entry>>,
    sources: HashMap<String, Vec<Entry>>,
    functions: HashMap<String, Vec<Entry>>,
    metrics: HashMap<String, Vec<Entry>>,
    disabled_refs: HashMap<String, Vec<Entry>>,
    disabled_sources: HashMap<String, Vec<Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    package: Arc<str>,
    id: Id,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Enabled(Id),
    /// It exists and is switched off.
    Disabled(Id),
    /// Several packages have a resource of this name.
    Ambiguous(Vec<Id>),
    Missing,
}

/// The packages in which a name is searched, in order; `None` stands for all of them.
fn packages_to_search<'a>(
    root: &'a str,
    own_package: &'a str,
    wanted: Option<&'a str>,
) -> Vec<Option<&'a str>> {
    match wanted {
        Some(package) => vec![Some(package)],
        None if root == own_package => vec![Some(root), None],
        None => vec![Some(own_package), Some(root), None],
    }
}

/// A version as it is written in ids and names: `v1`, `v1.5`.
pub fn version_suffix(version: &Json) -> String {
    match version {
        Json::String(text) => format!("v{text}"),
        other => format!("v{other}"),
    }
}

fn add(map: &mut HashMap<String, Vec<Entry>>, key: String, package: &Arc<str>, id: &Id) {
    let entry = Entry { package: package.clone(), id: id.clone() };
    match map.entry(key) {
        // Nearly all names are of one thing: a list that is to grow would take several times its memory.
        hash_map::Entry::Vacant(place) => drop(place.insert(vec![entry])),
        hash_map::Entry::Occupied(mut place) => place.get_mut().push(entry),
    }
}

fn add_refable(map: &mut HashMap<String, Vec<Entry>>, node: &Node) {
    if let Some(version) = node.version() {
        let key = format!("{}.{}", node.name, version_suffix(version));
        add(map, key, &node.package_name, &node.unique_id);
    }
    if node.is_latest_version() {
        add(map, node.name.clone(), &node.package_name, &node.unique_id);
    }
}

impl Lookup {
    /// Indexes all names of a manifest.
    pub fn new(manifest: &Manifest) -> Self {
        let mut lookup = Lookup::default();
        for node in manifest.nodes.values().filter(|node| node.resource_type.is_refable()) {
            add_refable(&mut lookup.refs, node);
        }
        for source in manifest.sources.values() {
            add(&mut lookup.sources, source.search_name(), &source.package_name, &source.unique_id);
        }
        for function in manifest.functions.values() {
            add(&mut lookup.functions, function.name.clone(), &function.package_name, &function.unique_id);
        }
        for metric in manifest.metrics.values() {
            add(&mut lookup.metrics, metric.name.clone(), &metric.package_name, &metric.unique_id);
        }
        for disabled in manifest.disabled.values().flatten() {
            match disabled {
                Disabled::Node(node) if node.resource_type.is_refable() => {
                    add_refable(&mut lookup.disabled_refs, node);
                }
                Disabled::Source(source) => {
                    let map = &mut lookup.disabled_sources;
                    add(map, source.search_name(), &source.package_name, &source.unique_id);
                }
                _ => {}
            }
        }
        lookup
    }

    /// What `ref(package, name, version)` means, seen from a node of `own_package` in a project `root`.
    pub fn resolve_ref(
        &self,
        name: &str,
        package: Option<&str>,
        version: Option<&Json>,
        root: &str,
        own_package: &str,
    ) -> Found {
        let key = match version {
            Some(version) => format!("{name}.{}", version_suffix(version)),
            None => name.to_owned(),
        };
        let packages = packages_to_search(root, own_package, package);
        search(&self.refs, &self.disabled_refs, &key, &packages)
    }

    /// What `source(source_name, table_name)` means.
    pub fn resolve_source(&self, source: &str, table: &str, root: &str, own_package: &str) -> Found {
        let packages = packages_to_search(root, own_package, None);
        search(&self.sources, &self.disabled_sources, &format!("{source}.{table}"), &packages)
    }

    /// What a call of either means.
    pub fn resolve(&self, reference: &Reference, root: &str, own_package: &str) -> Found {
        match reference {
            Reference::Ref(RefArgs { name, package, version }) => {
                self.resolve_ref(name, package.as_deref(), version.as_ref(), root, own_package)
            }
            Reference::Source(names) => match names.as_slice() {
                [source, table] => self.resolve_source(source, table, root, own_package),
                _ => Found::Missing,
            },
        }
    }

    /// What `function(name)` means.
    pub fn resolve_function(&self, name: &str, package: Option<&str>, root: &str, own: &str) -> Found {
        search(&self.functions, &HashMap::new(), name, &packages_to_search(root, own, package))
    }

    /// What `metric(name)` means.
    pub fn resolve_metric(&self, name: &str, package: Option<&str>, root: &str, own: &str) -> Found {
        search(&self.metrics, &HashMap::new(), name, &packages_to_search(root, own, package))
    }

    /// All names that `ref()` knows, for suggestions.
    pub fn ref_names(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().map(String::as_str)
    }

    /// All `source.table` names, for suggestions.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }
}

fn search(
    enabled: &HashMap<String, Vec<Entry>>,
    disabled: &HashMap<String, Vec<Entry>>,
    key: &str,
    packages: &[Option<&str>],
) -> Found {
    let within = |map: &HashMap<String, Vec<Entry>>, package: &Option<&str>| -> Vec<Id> {
        let entries = map.get(key).map(Vec::as_slice).unwrap_or_default();
        let in_package = |entry: &&Entry| package.is_none_or(|package| *entry.package == *package);
        entries.iter().filter(in_package).map(|entry| entry.id.clone()).collect()
    };
    for package in packages {
        let mut ids = within(enabled, package);
        match ids.len() {
            0 => {}
            1 => return Found::Enabled(ids.remove(0)),
            _ => return Found::Ambiguous(ids),
        }
    }
    for package in packages {
        if let Some(id) = within(disabled, package).into_iter().next() {
            return Found::Disabled(id);
        }
    }
    Found::Missing
}
