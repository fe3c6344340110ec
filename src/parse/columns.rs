//! Columns as property files describe them.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::error::Result;
use crate::manifest::Column;
use crate::project::yaml::Yaml;

/// Keys of a column that have a place of their own in the manifest, or are no part of it.
const KNOWN: [&str; 11] = [
    "name",
    "description",
    "meta",
    "data_type",
    "constraints",
    "quote",
    "config",
    "tags",
    "granularity",
    "tests",
    "data_tests",
];

/// The columns under `columns:` of an entry, in order.
pub fn columns(entry: &Yaml, path: &Path) -> Result<IndexMap<String, Column>> {
    let mut columns = IndexMap::new();
    let Some(list) = entry.get("columns").filter(|list| !list.is_null()) else { return Ok(columns) };
    for item in list.need_seq("columns", path)? {
        // `include:` and `exclude:` of versions are handled by whoever flattens them.
        if item.get("include").is_some() {
            continue;
        }
        let column = column(item, path)?;
        columns.insert(column.name.clone(), column);
    }
    Ok(columns)
}

/// One column.
pub fn column(item: &Yaml, path: &Path) -> Result<Column> {
    let map = item.need_map("a column", path)?;
    let Some(name) = map.get("name") else {
        return Err(item.error(path, "a column has no name").help("add `name:` to the column"));
    };
    let name = name.need_name("the name of a column", path)?.to_owned();
    let text = |key: &str| map.get(key).filter(|value| !value.is_null()).map(Yaml::key_text);
    let config = object(map.get("config"));
    let mut meta = object(map.get("meta"));
    meta.extend(object(config.get("meta").map(Yaml::from_json).as_ref()));
    let tags = listed_tags(map.get("tags").map(Yaml::to_json).iter().chain(config.get("tags")));
    let mut full_config = Map::new();
    full_config.insert("meta".to_owned(), Json::Object(meta.clone()));
    full_config.insert("tags".to_owned(), Json::Array(tags.clone()));
    full_config.extend(config.into_iter().filter(|(key, _)| key != "meta" && key != "tags"));
    let constraints = match map.get("constraints").filter(|value| !value.is_null()) {
        None => Vec::new(),
        Some(list) => list
            .need_seq("constraints", path)?
            .iter()
            .map(|item| constraint(item, path, false))
            .collect::<Result<_>>()?,
    };
    // `doc_blocks` is for dbt to say.
    let is_extra = |key: &str| !KNOWN.contains(&key) && key != "doc_blocks";
    let extra = map.iter().filter(|(key, _)| is_extra(&key.key_text()));
    Ok(Column {
        description: text("description").unwrap_or_default(),
        data_type: text("data_type"),
        quote: map.get("quote").and_then(Yaml::as_bool),
        granularity: text("granularity"),
        name,
        meta,
        constraints,
        config: full_config,
        tags,
        doc_blocks: Vec::new(),
        extra: extra.map(|(key, value)| (key.key_text(), value.to_json())).collect(),
    })
}

fn object(yaml: Option<&Yaml>) -> Map<String, Json> {
    match yaml.map(Yaml::to_json) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Tags from several places as one list, each once, in the order in which they were first seen.
pub fn listed_tags<'a>(places: impl Iterator<Item = &'a Json>) -> Vec<Json> {
    let mut tags: Vec<Json> = Vec::new();
    for place in places {
        let found = match place {
            Json::Array(list) => list.as_slice(),
            tag => std::slice::from_ref(tag),
        };
        for tag in found.iter().filter(|tag| tag.is_string()) {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
    }
    tags
}

/// The same, sorted.
pub fn sorted_tags<'a>(places: impl Iterator<Item = &'a Json>) -> Vec<Json> {
    let mut tags = listed_tags(places);
    tags.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    tags
}

const CONSTRAINT_TYPES: [&str; 6] = ["check", "not_null", "unique", "primary_key", "foreign_key", "custom"];

/// A constraint with all of its fields; those of models name their columns.
pub fn constraint(item: &Yaml, path: &Path, of_model: bool) -> Result<Json> {
    let map = item.need_map("a constraint", path)?;
    let kind = map.get("type").map(Yaml::key_text).unwrap_or_default();
    if !CONSTRAINT_TYPES.contains(&kind.as_str()) {
        return Err(item
            .error(
                path,
                format!(
                    "Invalid constraint type '{kind}'. Type must be one of {}",
                    CONSTRAINT_TYPES.join(", ")
                ),
            )
            .help("see https://docs.getdbt.com/reference/resource-properties/constraints"));
    }
    let get = |key: &str| map.get(key).map_or(Json::Null, Yaml::to_json);
    let flag = |key: &str| map.get(key).and_then(Yaml::as_bool).unwrap_or(true);
    let mut constraint = json!({
        "type": kind,
        "name": get("name"),
        "expression": get("expression"),
        "warn_unenforced": flag("warn_unenforced"),
        "warn_unsupported": flag("warn_unsupported"),
        "to": get("to"),
        "to_columns": map.get("to_columns").map_or(json!([]), Yaml::to_json),
    });
    if of_model {
        constraint["columns"] = map.get("columns").map_or(json!([]), Yaml::to_json);
    }
    Ok(constraint)
}
