//! From `ref` and `source` calls to dependencies: every name must mean exactly one thing.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Parser;
use crate::error::{Error, Location, Result};
use crate::events::Warning;
use crate::jinja::context::missing_dependency;
use crate::manifest::{DependsOn, Found, Id, Lookup, Manifest, Node, RefArgs, ResourceType};
use crate::text::quoted;

/// Who refers, for messages.
struct Referrer<'a> {
    id: &'a Id,
    package: &'a str,
    location: Location,
    /// Whether something missing is worth a warning only, and switches off who refers to it (tests).
    tolerant: bool,
}

impl Parser<'_> {
    /// Fills the dependencies of everything in the manifest.
    pub fn resolve_dependencies(&self, manifest: &mut Manifest, lookup: &Lookup) -> Result<()> {
        let mut errors = Vec::new();
        let mut nodes = std::mem::take(&mut manifest.nodes);
        let mut functions = std::mem::take(&mut manifest.functions);
        for node in nodes.values_mut().chain(functions.values_mut()) {
            errors.extend(self.resolve_node(node, lookup).err());
        }
        for node in nodes.values() {
            if let Err(error) = check_access(node, &nodes) {
                errors.push(error);
            }
        }
        manifest.nodes = nodes;
        manifest.functions = functions;
        self.resolve_yaml_resources(manifest, lookup, &mut errors);
        Error::many(errors).map_or(Ok(()), Err)
    }

    /// A test of something that is missing or switched off stays in the manifest, switched off.
    fn resolve_node(&self, node: &mut Node, lookup: &Lookup) -> Result<()> {
        let referrer = Referrer {
            id: &node.unique_id.clone(),
            package: &node.package_name.clone(),
            location: Location::new(&node.original_file_path, node.first_line, 0),
            tolerant: node.resource_type == ResourceType::Test,
        };
        let mut dependencies =
            DependsOn { macros: std::mem::take(&mut node.depends_on.macros), nodes: Vec::new() };
        let code = node.raw_code.clone();
        let complete =
            self.resolve_all(&referrer, &node.refs, &node.sources, &mut dependencies, lookup, Some(&code))?;
        for names in &node.functions {
            let (package, name) = split_names(names);
            if let Found::Enabled(id) =
                lookup.resolve_function(name, package, &self.shared.project_name, &node.package_name)
            {
                dependencies.add_node(&id);
            }
        }
        for names in &node.metrics {
            let id = self.metric_named(names, &node.package_name, lookup);
            dependencies.add_node(&id.map_err(|error| error.at(referrer.location.clone()))?);
        }
        node.depends_on = dependencies;
        if !complete {
            node.config.set("enabled", json!(false));
        }
        Ok(())
    }

    /// Whether all is found; what is not is an error of those who are not tolerant.
    fn resolve_all(
        &self,
        referrer: &Referrer,
        refs: &[RefArgs],
        sources: &[Vec<String>],
        dependencies: &mut DependsOn,
        lookup: &Lookup,
        code: Option<&Arc<str>>,
    ) -> Result<bool> {
        let root = &self.shared.project_name;
        let mut errors = Vec::new();
        let mut complete = true;
        for names in sources {
            let (source, table) =
                (names.first().map_or("", String::as_str), names.get(1).map_or("", String::as_str));
            match lookup.resolve_source(source, table, root, referrer.package) {
                Found::Enabled(id) => dependencies.add_node(&id),
                found => {
                    complete = false;
                    let disabled = matches!(found, Found::Disabled(_));
                    let name = format!("{source}.{table}");
                    if referrer.tolerant {
                        self.warn_missing(referrer, "source", &name, disabled);
                        continue;
                    }
                    let error =
                        missing_dependency(referrer.id, "source", &name, disabled, lookup.source_names());
                    errors.push(place(error, referrer, code, &[source, table]));
                }
            }
        }
        let mut seen: Vec<&RefArgs> = Vec::new();
        for reference in refs {
            if seen.contains(&reference) {
                continue;
            }
            seen.push(reference);
            let (package, version) = (reference.package.as_deref(), reference.version.as_ref());
            match lookup.resolve_ref(&reference.name, package, version, root, referrer.package) {
                Found::Enabled(id) => dependencies.add_node(&id),
                Found::Ambiguous(ids) => {
                    errors.push(ambiguous(&reference.name, &ids).at(referrer.location.clone()))
                }
                found => {
                    complete = false;
                    let disabled = matches!(found, Found::Disabled(_));
                    if referrer.tolerant {
                        // That a node is switched off is not worth a word: its tests simply go with it.
                        if !disabled {
                            self.warn_missing(referrer, "node", &reference.name, disabled);
                        }
                        continue;
                    }
                    let error = missing_dependency(
                        referrer.id,
                        "node",
                        &reference.name,
                        disabled,
                        lookup.ref_names(),
                    );
                    errors.push(place(error, referrer, code, &[&reference.name]));
                }
            }
        }
        Error::many(errors).map_or(Ok(complete), Err)
    }

    fn warn_missing(&self, referrer: &Referrer, kind: &str, name: &str, disabled: bool) {
        let (event, why) = match disabled {
            true => ("InvalidDisabledTargetInTestNode", "which is disabled"),
            false => ("NodeNotFoundOrDisabled", "in package '' which was not found"),
        };
        let message = format!(
            "Test '{}' ({}) depends on a {kind} named '{name}' {why}",
            referrer.id,
            referrer.location.path.display()
        );
        self.warn(Warning::new(event, message).at(referrer.location.clone()));
    }

    /// The metric that `metric('name')` or `metric('package', 'name')` means.
    fn metric_named(&self, names: &[String], package_of_referrer: &str, lookup: &Lookup) -> Result<Id> {
        let (package, name) = split_names(names);
        let problem =
            match lookup.resolve_metric(name, package, &self.shared.project_name, package_of_referrer) {
                Found::Enabled(id) => return Ok(id),
                Found::Disabled(_) => "is disabled",
                _ => "was not found",
            };
        Err(Error::compilation(format!("depends on a metric named '{name}' which {problem}"))
            .help("metrics are defined under `metrics:` in a property file"))
    }

    fn resolve_yaml_resources(&self, manifest: &mut Manifest, lookup: &Lookup, errors: &mut Vec<Error>) {
        let place_of = |path: &str, line: usize| Location::new(path, line, 0);
        for exposure in manifest.exposures.values_mut() {
            let referrer = Referrer {
                id: &exposure.unique_id,
                package: &exposure.package_name,
                location: place_of(&exposure.original_file_path, exposure.line),
                tolerant: false,
            };
            let mut dependencies = DependsOn::default();
            let found = self.resolve_all(
                &referrer,
                &exposure.refs,
                &exposure.sources,
                &mut dependencies,
                lookup,
                None,
            );
            errors.extend(found.err());
            for names in &exposure.metrics {
                match self.metric_named(names, &exposure.package_name, lookup) {
                    Ok(id) => dependencies.add_node(&id),
                    Err(error) => errors.push(error.at(referrer.location.clone())),
                }
            }
            exposure.depends_on = dependencies;
        }
        for test in manifest.unit_tests.values_mut() {
            let referrer = Referrer {
                id: &test.unique_id,
                package: &test.package_name,
                location: place_of(&test.original_file_path, test.line),
                tolerant: false,
            };
            let reference =
                RefArgs { name: test.model.clone(), package: None, version: test.version.clone() };
            let mut dependencies = DependsOn::default();
            let found = self.resolve_all(&referrer, &[reference], &[], &mut dependencies, lookup, None);
            errors.extend(found.err());
            test.depends_on = dependencies;
        }
        for resource in manifest.semantic_models.values_mut() {
            let referrer = Referrer {
                id: &resource.unique_id,
                package: &resource.package_name,
                location: place_of(&resource.original_file_path, 0),
                tolerant: false,
            };
            let mut dependencies = DependsOn::default();
            let found = self.resolve_all(&referrer, &resource.refs, &[], &mut dependencies, lookup, None);
            errors.extend(found.err());
            let model = dependencies.nodes.first().and_then(|id| manifest.nodes.get(id));
            if let Some(model) = model {
                let relation = json!({
                    "alias": model.alias,
                    "schema_name": model.schema,
                    "database": model.database,
                    "relation_name": model.relation_name,
                });
                resource.fields.insert("node_relation".to_owned(), relation);
            }
            resource.depends_on = dependencies;
        }
        self.resolve_semantic_layer(manifest, lookup, errors);
    }
}

/// `[package, name]` or `[name]`.
fn split_names(names: &[String]) -> (Option<&str>, &str) {
    match names {
        [package, name] => (Some(package), name),
        [name] => (None, name),
        _ => (None, ""),
    }
}

fn ambiguous(name: &str, ids: &[Id]) -> Error {
    let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
    Error::compilation(format!("ref('{name}') could mean any of: {}", ids.join(", ")))
        .help("name the package: ref('package', 'model')")
}

/// Points an error at the call.
fn place(error: Error, referrer: &Referrer, code: Option<&Arc<str>>, names: &[&str]) -> Error {
    let start = &referrer.location;
    match code.and_then(|code| quoted(code, names)) {
        Some(call) => {
            let location = Location::new(&start.path, start.line + call.line, call.column);
            error.at(location).excerpt(call.text)
        }
        None => error.at(start.clone()),
    }
}

/// Private models may be used within their group only
/// (<https://docs.getdbt.com/docs/mesh/govern/model-access>).
fn check_access(node: &Node, nodes: &indexmap::IndexMap<Id, Node>) -> Result<()> {
    if node.resource_type == ResourceType::Test {
        return Ok(());
    }
    for id in &node.depends_on.nodes {
        let Some(target) = nodes.get(id) else { continue };
        let Some(model) = &target.model else { continue };
        let group = |node: &Node| node.config.get("group").and_then(Json::as_str).map(str::to_owned);
        if model.access == "private" && group(target).is_some() && group(node) != group(target) {
            let scope = group(target).unwrap_or_default();
            return Err(Error::parsing(format!(
                "Node {} attempted to reference node {id}, which is not allowed because the referenced node is \
                 private to the '{scope}' group.",
                node.unique_id
            ))
            .help("put both into one group, or make the model protected")
            .at(Location::file(&node.original_file_path)));
        }
    }
    Ok(())
}
