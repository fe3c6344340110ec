//! `state:`: what has changed since an earlier run, by the rules of dbt for each kind of resource.

use std::collections::{HashMap, HashSet};

use chrono::DateTime;
use serde_json::{Map, Value as Json};

use super::{Context, SelectionWarning, contract, same_value};
use crate::error::{Error, Location, Result};
use crate::graph::dag::NodeSet;
use crate::manifest::{Disabled, Exposure, Node, Resource, ResourceType, SemanticResource, Source, UnitTest};

/// What of a resource is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    New,
    Old,
    Unmodified,
    Modified,
    Body,
    Configs,
    PersistedDescriptions,
    Relation,
    Macros,
    Contract,
}

const CHECKS: [(&str, Check); 10] = [
    ("new", Check::New),
    ("old", Check::Old),
    ("modified", Check::Modified),
    ("unmodified", Check::Unmodified),
    ("modified.body", Check::Body),
    ("modified.configs", Check::Configs),
    ("modified.persisted_descriptions", Check::PersistedDescriptions),
    ("modified.relation", Check::Relation),
    ("modified.macros", Check::Macros),
    ("modified.contract", Check::Contract),
];

/// The nodes of which a check holds, compared with the earlier manifest.
///
/// # Errors
/// No such check, no earlier manifest, or a broken contract of a versioned model.
pub(super) fn search(context: &Context<'_>, text: &str) -> Result<NodeSet> {
    let manifest = context.previous().manifest.as_ref().ok_or_else(|| {
        Error::runtime("Got a state selector method, but no comparison manifest")
            .help("give the folder of an earlier run's artifacts with --state: it must hold manifest.json")
    })?;
    let Some((_, check)) = CHECKS.iter().find(|(name, _)| *name == text) else {
        let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        return Err(Error::runtime(format!(
            "Got an invalid selector \"{text}\", expected one of \"{}\"",
            names.join("\", \"")
        )));
    };
    let comparison =
        Comparison { context, previous: manifest, changed_macros: changed_macros(context, manifest) };
    let mut found = context.dag.no_nodes();
    for (node, resource) in context.resources() {
        if comparison.holds(*check, resource)? {
            found.insert(node.index());
        }
    }
    if matches!(check, Check::Modified | Check::Unmodified | Check::Contract) {
        comparison.check_removed_contracts()?;
    }
    Ok(found)
}

struct Comparison<'a> {
    context: &'a Context<'a>,
    previous: &'a Json,
    /// Macros that changed, or that use one which did.
    changed_macros: HashSet<&'a str>,
}

impl Comparison<'_> {
    fn holds(&self, check: Check, resource: Resource<'_>) -> Result<bool> {
        let old = self.old(resource);
        // A part of a resource that was not there has changed, if resources of its kind have this part.
        let differs = |same: Option<bool>| same.is_some_and(|same| !same);
        Ok(match check {
            Check::New => old.is_none(),
            Check::Old => old.is_some(),
            Check::Modified => self.is_modified(resource, old)?,
            Check::Unmodified => !self.is_modified(resource, old)?,
            Check::Macros => self.uses_changed_macro(resource),
            Check::Configs => differs(same_configs(resource, old)),
            Check::Relation => differs(self.same_relation(resource, old)),
            Check::Body => differs(node_of(resource).map(|node| match old {
                Some(old) => self.same_body(node, old),
                None => false,
            })),
            Check::PersistedDescriptions => differs(
                node_of(resource).map(|node| old.is_some_and(|old| same_persisted_description(node, old))),
            ),
            Check::Contract => match (node_of(resource), old) {
                (Some(node), Some(old)) => !self.same_contract(node, old)?,
                (Some(_), None) => true,
                (None, _) => false,
            },
        })
    }

    /// The resource as the earlier manifest has it.
    fn old(&self, resource: Resource<'_>) -> Option<&Json> {
        let section = match resource.resource_type() {
            ResourceType::Source => "sources",
            ResourceType::Exposure => "exposures",
            ResourceType::Metric => "metrics",
            ResourceType::SemanticModel => "semantic_models",
            ResourceType::SavedQuery => "saved_queries",
            ResourceType::UnitTest => "unit_tests",
            ResourceType::Function => "functions",
            _ => "nodes",
        };
        self.previous.get(section)?.get(&**resource.id())
    }

    fn is_modified(&self, resource: Resource<'_>, old: Option<&Json>) -> Result<bool> {
        let changed = match (resource, old) {
            (Resource::Node(_) | Resource::UnitTest(_), None) => true,
            // As in dbt, a new source, exposure or metric is `state:new` and not `state:modified`.
            (_, None) => false,
            (Resource::Node(node), Some(old)) => !self.same_node(node, old)?,
            (Resource::UnitTest(test), Some(old)) => !same_unit_test(test, old),
            (Resource::Source(source), Some(old)) => !self.same_source(source, old),
            (Resource::Exposure(exposure), Some(old)) => !same_exposure(exposure, old),
            (Resource::Semantic(semantic), Some(old)) => !same_semantic(semantic, old),
        };
        if let Resource::Node(node) = resource {
            check_test_exists(node)?;
        }
        Ok(changed || self.uses_changed_macro(resource))
    }

    fn uses_changed_macro(&self, resource: Resource<'_>) -> bool {
        let macros = match resource {
            Resource::Node(node) => &node.depends_on.macros,
            Resource::Exposure(exposure) => &exposure.depends_on.macros,
            Resource::UnitTest(test) => &test.depends_on.macros,
            Resource::Semantic(semantic) => &semantic.depends_on.macros,
            Resource::Source(_) => return false,
        };
        macros.iter().any(|id| self.changed_macros.contains(&**id))
    }

    fn same_node(&self, node: &Node, old: &Json) -> Result<bool> {
        if node.is_generic_test() {
            return Ok(same_node_config(node, old) && same_fqn(&node.fqn, old));
        }
        let same_contract = self.same_contract(node, old)?;
        Ok(self.same_body(node, old)
            && same_node_config(node, old)
            && same_persisted_description(node, old)
            && same_fqn(&node.fqn, old)
            && same_configured_relation(node, old)
            && same_contract
            && same_reference(node, old)
            && same_signature(node, old))
    }

    fn same_body(&self, node: &Node, old: &Json) -> bool {
        if node.resource_type != ResourceType::Seed {
            // Until version 6 of the manifest the code had another name.
            let code = text(old, "raw_code").or_else(|| text(old, "raw_sql"));
            return code == Some(&node.raw_code);
        }
        let checksum = &old["checksum"];
        let (old_name, old_sum) = (text(checksum, "name"), text(checksum, "checksum"));
        let same = old_name == Some(node.checksum.name) && old_sum == Some(&node.checksum.checksum);
        if node.checksum.name == "path" {
            self.warn_of_large_seed(node, old_name, same);
        }
        same
    }

    /// Large seeds are not hashed: whether their rows changed is not known.
    fn warn_of_large_seed(&self, seed: &Node, old_checksum: Option<&str>, same: bool) {
        let name = format!("{}.{}", seed.package_name, seed.name);
        let (event, message) = if old_checksum != Some("path") {
            ("SeedIncreased", format!("The seed {name} has grown over 1 MiB (>1MB), so it has changed"))
        } else if same {
            (
                "SeedExceedsLimitSamePath",
                format!(
                    "The seed {name} is over 1 MiB (>1MB) in size at the same path: whether it has changed cannot be told, and is assumed not"
                ),
            )
        } else {
            (
                "SeedExceedsLimitAndPathChanged",
                format!(
                    "The seed {name} is over 1 MiB (>1MB) in size and was elsewhere: it is assumed to have changed"
                ),
            )
        };
        self.context.warn(SelectionWarning { event, message, help: None });
    }

    fn same_contract(&self, node: &Node, old: &Json) -> Result<bool> {
        if node.resource_type != ResourceType::Model {
            return Ok(true);
        }
        let contract::Comparison { same, breaking } = contract::compare(node, old);
        if !breaking.is_empty() {
            self.context.warn(contract::report(node.into(), &breaking)?);
        }
        Ok(same)
    }

    /// Contracts end with their models, too: those that were deleted, renamed or disabled.
    fn check_removed_contracts(&self) -> Result<()> {
        let nodes = self.previous.get("nodes").and_then(Json::as_object);
        for (id, old) in nodes.into_iter().flatten() {
            let manifest = self.context.manifest;
            let broken = match manifest.disabled.get(id.as_str()).and_then(|disabled| disabled.first()) {
                Some(Disabled::Node(node)) => contract::disabled(node),
                _ if manifest.nodes.contains_key(id.as_str()) => None,
                _ => contract::removed(id, old),
            };
            if let Some((model, change)) = broken {
                self.context.warn(contract::report(model, &[change])?);
            }
        }
        Ok(())
    }

    /// Where the rows are, as configured.
    fn same_relation(&self, resource: Resource<'_>, old: Option<&Json>) -> Option<bool> {
        match resource {
            Resource::Node(node) => Some(old.is_some_and(|old| same_configured_relation(node, old))),
            Resource::Source(source) => Some(old.is_some_and(|old| self.same_table(source, old))),
            _ => None,
        }
    }

    fn same_table(&self, source: &Source, old: &Json) -> bool {
        let same_place = if self.context.previous().compare_unrendered {
            text(old, "unrendered_database") == source.unrendered_database.as_deref()
                && text(old, "unrendered_schema") == source.unrendered_schema.as_deref()
        } else {
            text(old, "database").unwrap_or_default() == source.database
                && text(old, "schema") == Some(&source.schema)
        };
        same_place && text(old, "identifier") == Some(&source.identifier)
    }

    fn same_source(&self, source: &Source, old: &Json) -> bool {
        let quoting = serde_json::to_value(source.quoting).unwrap_or_default();
        self.same_table(source, old)
            && same_fqn(&source.fqn, old)
            && same_unrendered(&source.unrendered_config, old, &[])
            && same_value(&quoting, &old["quoting"])
            && same_or_none(source.fields.freshness.as_ref(), &old["freshness"])
            && text(old, "loaded_at_field") == source.fields.loaded_at_field.as_deref()
            && same_or_none(source.fields.external.as_ref(), &old["external"])
    }
}

fn node_of(resource: Resource<'_>) -> Option<&Node> {
    match resource {
        Resource::Node(node) => Some(node),
        _ => None,
    }
}

pub(super) fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}

fn same_or_none(new: Option<&Json>, old: &Json) -> bool {
    same_value(new.unwrap_or(&Json::Null), old)
}

fn same_fqn(fqn: &[String], old: &Json) -> bool {
    let old = old["fqn"].as_array().map(Vec::as_slice).unwrap_or_default();
    old.len() == fqn.len() && old.iter().zip(fqn).all(|(old, new)| old.as_str() == Some(new))
}

/// Configurations that are no change of what is built: where it is built is compared as its relation.
const NOT_COMPARED: [&str; 5] = ["alias", "schema", "database", "tags", "group"];

fn same_node_config(node: &Node, old: &Json) -> bool {
    same_unrendered(&node.unrendered_config, old, &NOT_COMPARED)
}

/// Whether a configuration is the same as it was written, which leaves out what the target changes.
fn same_unrendered(config: &Map<String, Json>, old: &Json, left_out: &[&str]) -> bool {
    let empty = Map::new();
    let old = old["unrendered_config"].as_object().unwrap_or(&empty);
    let mut keys = config.keys().chain(old.keys()).filter(|key| !left_out.contains(&key.as_str()));
    keys.all(|key| match (config.get(key), old.get(key)) {
        (Some(new), Some(old)) => same_value(new, old),
        _ => false,
    })
}

/// `None` if such resources have no configuration that is compared.
fn same_configs(resource: Resource<'_>, old: Option<&Json>) -> Option<bool> {
    let same = |compare: &dyn Fn(&Json) -> bool| Some(old.is_some_and(compare));
    match resource {
        Resource::Node(node) => same(&|old| same_node_config(node, old)),
        Resource::Source(source) => same(&|old| same_unrendered(&source.unrendered_config, old, &[])),
        Resource::Exposure(exposure) => same(&|old| same_unrendered(&exposure.unrendered_config, old, &[])),
        Resource::Semantic(semantic) => same(&|old| same_semantic_config(semantic, old)),
        Resource::UnitTest(_) => None,
    }
}

fn same_semantic_config(semantic: &SemanticResource, old: &Json) -> bool {
    if semantic.resource_type == ResourceType::Metric {
        let empty = Map::new();
        let config = semantic.fields.get("unrendered_config").and_then(Json::as_object).unwrap_or(&empty);
        return same_unrendered(config, old, &["group"]);
    }
    let config = serde_json::to_value(&semantic.config).unwrap_or_default();
    same_value(&config, &old["config"])
}

/// Descriptions count where they are written into the database. (Whether they are is a configuration of its own.)
fn same_persisted_description(node: &Node, old: &Json) -> bool {
    let persists = |part: &str| {
        let persist_docs =
            node.config.get("persist_docs").filter(|_| node.resource_type != ResourceType::Test);
        persist_docs.and_then(|docs| docs.get(part)).is_some_and(|value| value == &Json::Bool(true))
    };
    if persists("relation") && text(old, "description").unwrap_or_default() != node.description {
        return false;
    }
    let empty = Map::new();
    let columns = old["columns"].as_object().unwrap_or(&empty);
    let same_column = |name: &str, description: &str| {
        columns.get(name).is_some_and(|old| text(old, "description").unwrap_or_default() == description)
    };
    !persists("columns")
        || (columns.len() == node.columns.len()
            && node.columns.iter().all(|(name, column)| same_column(name, &column.description)))
}

/// What was configured, and not what became of it on one target or another.
fn same_configured_relation(node: &Node, old: &Json) -> bool {
    let old = &old["unrendered_config"];
    let same = |key: &str| same_or_none(node.unrendered_config.get(key), &old[key]);
    ["database", "schema", "alias"].into_iter().all(same)
}

/// What other models see of a model when they refer to it.
fn same_reference(node: &Node, old: &Json) -> bool {
    let Some(model) = &node.model else { return true };
    same_or_none(model.latest_version.as_ref(), &old["latest_version"])
        && text(old, "access") == Some(&model.access)
        && same_moment(model.deprecation_date.as_deref(), text(old, "deprecation_date"))
}

fn same_moment(one: Option<&str>, other: Option<&str>) -> bool {
    let moment = |text: Option<&str>| text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    one == other || (moment(one).is_some() && moment(one) == moment(other))
}

/// The arguments and the result of a function.
fn same_signature(node: &Node, old: &Json) -> bool {
    let Some(function) = &node.function else { return true };
    ["arguments", "returns"].into_iter().all(|key| same_or_none(function.get(key), &old[key]))
}

fn same_unit_test(test: &UnitTest, old: &Json) -> bool {
    text(old, "checksum") == test.checksum.as_deref()
}

fn same_exposure(exposure: &Exposure, old: &Json) -> bool {
    let ids = |list: &Json| -> HashSet<String> {
        list.as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
    };
    let new = serde_json::to_value(exposure).unwrap_or_default();
    let keys = ["fqn", "type", "owner", "maturity", "url", "description", "label"];
    keys.into_iter().all(|key| same_value(&new[key], &old[key]))
        && ids(&new["depends_on"]["nodes"]) == ids(&old["depends_on"]["nodes"])
        && same_unrendered(&exposure.unrendered_config, old, &[])
}

fn same_semantic(semantic: &SemanticResource, old: &Json) -> bool {
    let fields: &[&str] = match semantic.resource_type {
        ResourceType::Metric => &["type", "description", "label"],
        ResourceType::SemanticModel => &[
            "model",
            "description",
            "defaults",
            "entities",
            "dimensions",
            "measures",
            "primary_entity",
            "group",
        ],
        _ => &["description", "label", "group", "tags"],
    };
    let new = |key: &str| semantic.fields.get(key);
    let same_query = || {
        let param = |query: Option<&Json>, key: &str| query.and_then(|query| query.get(key)).cloned();
        let same =
            |key: &str| same_or_none(param(new("query_params"), key).as_ref(), &old["query_params"][key]);
        semantic.resource_type != ResourceType::SavedQuery
            || (["metrics", "group_by", "where"].into_iter().all(same)
                && same_exports(new("exports").unwrap_or(&Json::Null), &old["exports"]))
    };
    fields.iter().all(|key| same_or_none(new(key), &old[*key]))
        && same_semantic_config(semantic, old)
        && same_query()
}

fn same_exports(new: &Json, old: &Json) -> bool {
    let list = |exports: &Json| exports.as_array().cloned().unwrap_or_default();
    let (new, old) = (list(new), list(old));
    let same = |(new, old): (&Json, &Json)| {
        let config = |key: &str| same_value(&new["unrendered_config"][key], &old["unrendered_config"][key]);
        new["name"] == old["name"] && ["export_as", "schema", "alias"].into_iter().all(config)
    };
    new.len() == old.len() && new.iter().zip(&old).all(same)
}

/// A generic test whose macro is gone is neither new nor old.
fn check_test_exists(node: &Node) -> Result<()> {
    let Some(test) = node.test.as_ref().filter(|_| node.is_generic_test()) else { return Ok(()) };
    let macro_name = format!("test_{}", test.test_metadata.name);
    if node.depends_on.macros.iter().any(|id| id.ends_with(&macro_name)) {
        return Ok(());
    }
    let message = format!(
        "Node '{}' depends on a macro or test that does not exist: there is no generic test '{}'",
        node.name, test.test_metadata.name
    );
    let error = Error::compilation(message).at(Location::new(&node.original_file_path, node.first_line, 0));
    Err(error.help("define it again, or take it out of the property file"))
}

/// Macros whose text is another, or new, and all that use one of these.
///
/// The macros that come with the program are not compared: they change with its version only, and an earlier
/// manifest may come from another program that brought its own.
fn changed_macros<'a>(context: &Context<'a>, previous: &Json) -> HashSet<&'a str> {
    let adapter = previous["metadata"]["adapter_type"].as_str().unwrap_or_default();
    let adapter_package = format!("dbt_{adapter}");
    let macros = &context.manifest.macros;
    let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut waiting: Vec<&str> = Vec::new();
    for (id, own) in macros {
        for used in &own.depends_on {
            users.entry(used).or_default().push(id);
        }
        let is_shipped = *own.package_name == *"dbt" || *own.package_name == *adapter_package;
        let old = previous["macros"].get(&**id).and_then(|old| text(old, "macro_sql"));
        if !is_shipped && old != Some(&own.macro_sql) {
            waiting.push(id);
        }
    }
    let mut changed = HashSet::new();
    while let Some(id) = waiting.pop() {
        if changed.insert(id) {
            waiting.extend(users.get(id).into_iter().flatten());
        }
    }
    changed
}
