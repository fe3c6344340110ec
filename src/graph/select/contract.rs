//! Contracts of models: which changes break what others were promised.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use super::state::text;
use super::{SelectionWarning, same_value};
use crate::error::{Error, Location, Result};
use crate::manifest::Node;

/// How the contract of a model compares to what it was.
pub(super) struct Comparison {
    pub same: bool,
    /// Each change that breaks the promise, in words.
    pub breaking: Vec<String>,
}

/// What a message about a model tells of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model<'a> {
    name: &'a str,
    file: &'a str,
    is_versioned: bool,
}

impl<'a> From<&'a Node> for Model<'a> {
    fn from(node: &'a Node) -> Model<'a> {
        Model { name: &node.name, file: &node.original_file_path, is_versioned: node.version().is_some() }
    }
}

/// Compares the contract of a model with that of the earlier manifest.
pub(super) fn compare(node: &Node, old: &Json) -> Comparison {
    let was_enforced = old["contract"]["enforced"] == Json::Bool(true);
    let is_enforced = node.contract.enforced;
    let same_checksum = text(&old["contract"], "checksum") == node.contract.checksum.as_deref();
    let same = if was_enforced { is_enforced && same_checksum } else { !is_enforced };
    let breaking = if was_enforced && !same { breaking_changes(node, old) } else { Vec::new() };
    Comparison { same, breaking }
}

/// What a broken contract comes to: a warning, but for a versioned model an error.
pub(super) fn report(model: Model<'_>, changes: &[String]) -> Result<SelectionWarning> {
    let reasons = changes.join("\n  - ");
    if model.is_versioned {
        return Err(Error::runtime(format!(
            "While comparing to previous project state, dbt detected a breaking change to an enforced contract: that \
             of {}.\n  - {reasons}",
            model.name
        ))
        .at(Location::file(model.file))
        .help("keep what was promised and only add to it, or add a new version of the model"));
    }
    Ok(SelectionWarning {
        event: "UnversionedBreakingChange",
        message: format!(
            "While comparing to previous project state, dbt detected a breaking change to an unversioned model: {} \
             ({}).\n  - {reasons}",
            model.name, model.file
        ),
        help: None,
    })
}

/// The end of a contract whose model was disabled.
pub(super) fn disabled(node: &Node) -> Option<(Model<'_>, String)> {
    let fields = node.model.as_ref()?;
    let ends = node.contract.enforced && !is_past(fields.deprecation_date.as_deref());
    ends.then(|| (node.into(), format!("Contracted model '{}' was disabled.", node.unique_id)))
}

/// The end of a contract whose model is no more, or has another name.
pub(super) fn removed<'a>(id: &str, old: &'a Json) -> Option<(Model<'a>, String)> {
    let is_model = text(old, "resource_type") == Some("model");
    let ends = old["contract"]["enforced"] == Json::Bool(true) && !is_past(text(old, "deprecation_date"));
    let model = Model {
        name: text(old, "name").unwrap_or(""),
        file: text(old, "original_file_path").unwrap_or(""),
        is_versioned: !old["version"].is_null(),
    };
    (is_model && ends).then(|| (model, format!("Contracted model '{id}' was deleted or renamed.")))
}

fn is_past(date: Option<&str>) -> bool {
    date.and_then(|date| DateTime::parse_from_rfc3339(date).ok()).is_some_and(|date| date < Utc::now())
}

fn breaking_changes(node: &Node, old: &Json) -> Vec<String> {
    let empty = Map::new();
    let mut old_columns: Vec<(&String, &Json)> =
        old["columns"].as_object().unwrap_or(&empty).iter().collect();
    old_columns.sort_by_key(|(name, _)| *name);
    let old_materialized = text(&old["config"], "materialized").unwrap_or_default();
    let old_constraints = list(&old["constraints"]);
    let has_constraints = !old_constraints.is_empty()
        || old_columns.iter().any(|(_, column)| !list(&column["constraints"]).is_empty());

    let mut changes = Vec::new();
    if !node.contract.enforced {
        changes.push(
            "Contract enforcement was removed: the model had an enforced contract, and has none now."
                .to_owned(),
        );
    }
    tell(&mut changes, "Columns were removed", removed_columns(node, &old_columns));
    tell(&mut changes, "Columns with data_type changes", changed_types(node, &old_columns));
    if enforces_constraints(old_materialized) {
        let columns = removed_column_constraints(node, &old_columns);
        tell(&mut changes, "Enforced column level constraints were removed", columns);
        tell(
            &mut changes,
            "Enforced model level constraints were removed",
            removed_constraints(node, old_constraints),
        );
        if has_constraints && !enforces_constraints(node.materialized()) {
            let change = format!("{old_materialized} -> {}", node.materialized());
            tell(&mut changes, "Materialization changed with enforced constraints", vec![change]);
        }
    }
    changes
}

fn tell(changes: &mut Vec<String>, title: &str, details: Vec<String>) {
    if !details.is_empty() {
        changes.push(format!("{title}: \n    - {}", details.join("\n    - ")));
    }
}

fn removed_columns(node: &Node, old: &[(&String, &Json)]) -> Vec<String> {
    let removed = old.iter().filter(|(name, _)| !node.columns.contains_key(*name));
    removed.map(|(name, column)| text(column, "name").unwrap_or(name).to_owned()).collect()
}

fn changed_types(node: &Node, old: &[(&String, &Json)]) -> Vec<String> {
    let change = |(name, old): &(&String, &Json)| {
        let old_type = text(old, "data_type");
        let new_type = node.columns.get(*name)?.data_type.as_deref();
        let shown = |data_type: Option<&str>| data_type.unwrap_or("None").to_owned();
        (base_type(old_type) != base_type(new_type))
            .then(|| format!("{name} ({} -> {})", shown(old_type), shown(new_type)))
    };
    old.iter().filter_map(change).collect()
}

/// A type without size, precision and scale, changes of which break nothing.
fn base_type(data_type: Option<&str>) -> Option<String> {
    data_type.map(|text| text.split('(').next().unwrap_or_default().trim().to_lowercase())
}

/// Only tables have the constraints that their models declare.
fn enforces_constraints(materialized: &str) -> bool {
    matches!(materialized, "table" | "incremental")
}

fn removed_column_constraints(node: &Node, old: &[(&String, &Json)]) -> Vec<String> {
    let mut removed = Vec::new();
    for (name, column) in old {
        let Some(new) = node.columns.get(*name) else { continue };
        for constraint in gone(list(&column["constraints"]), &new.constraints) {
            removed.push(format!("'{}' constraint on column {name}", constraint_name(constraint)));
        }
    }
    removed
}

fn removed_constraints(node: &Node, old: &[Json]) -> Vec<String> {
    let new = node.model.as_ref().map_or(&[][..], |model| &model.constraints);
    let told = gone(old, new).into_iter().map(|constraint| {
        let columns: Vec<&str> = list(&constraint["columns"]).iter().filter_map(Json::as_str).collect();
        format!("'{}' constraint on columns {}", constraint_name(constraint), columns.join(", "))
    });
    told.collect()
}

/// The constraints that are no more, of those that a database may enforce.
fn gone<'a>(old: &'a [Json], new: &[Json]) -> Vec<&'a Json> {
    let is_gone = |constraint: &&Json| {
        text(constraint, "type") != Some("custom") && !new.iter().any(|new| same_value(new, constraint))
    };
    old.iter().filter(is_gone).collect()
}

fn constraint_name(constraint: &Json) -> &str {
    text(constraint, "name").or(text(constraint, "type")).unwrap_or_default()
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
