//! Sources: tables that somebody else fills.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::{Column, Id};
use crate::project::config::Config;
use crate::stored::stored;

/// One table of a source.
#[derive(Debug, Clone)]
pub struct Source {
    pub unique_id: Id,
    pub database: String,
    pub schema: String,
    pub name: String,
    pub package_name: Arc<str>,
    /// The YAML file, relative to the project.
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub source_name: String,
    pub identifier: String,
    pub quoting: Quoting,
    pub fields: SourceFields,
    pub columns: IndexMap<String, Column>,
    pub config: Config,
    pub patch_path: Option<String>,
    pub unrendered_config: Map<String, Json>,
    pub relation_name: String,
    /// Seconds since the epoch.
    pub created_at: f64,
    pub unrendered_database: Option<String>,
    pub unrendered_schema: Option<String>,
    /// Line of the table in the YAML file, counted from 1.
    pub line: usize,
}

/// What the source's YAML says beyond names and places.
#[derive(Debug, Clone, Default)]
pub struct SourceFields {
    pub source_description: String,
    pub description: String,
    pub loader: String,
    pub loaded_at_field: Option<String>,
    pub loaded_at_query: Option<String>,
    pub freshness: Option<Json>,
    pub external: Option<Json>,
    pub meta: Map<String, Json>,
    pub source_meta: Map<String, Json>,
    pub tags: Vec<Json>,
    pub doc_blocks: Vec<String>,
}

/// Which parts of a relation's name are quoted; `None` leaves the adapter's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Quoting {
    pub database: Option<bool>,
    pub schema: Option<bool>,
    pub identifier: Option<bool>,
    pub column: Option<bool>,
}

stored!(Source {
    unique_id,
    database,
    schema,
    name,
    package_name,
    original_file_path,
    fqn,
    source_name,
    identifier,
    quoting,
    fields,
    columns,
    config,
    patch_path,
    unrendered_config,
    relation_name,
    created_at,
    unrendered_database,
    unrendered_schema,
    line,
});
stored!(SourceFields {
    source_description,
    description,
    loader,
    loaded_at_field,
    loaded_at_query,
    freshness,
    external,
    meta,
    source_meta,
    tags,
    doc_blocks,
});
stored!(Quoting { database, schema, identifier, column });

impl Source {
    /// Whether it says how fresh its rows must be.
    pub fn checks_freshness(&self) -> bool {
        let Some(freshness) = &self.fields.freshness else { return false };
        let is_full = |limit: &Json| limit["count"].is_number() && limit["period"].is_string();
        ["warn_after", "error_after"].iter().any(|key| is_full(&freshness[*key]))
    }

    /// The name as selectors and messages write it: `source.table`.
    pub fn search_name(&self) -> String {
        format!("{}.{}", self.source_name, self.name)
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = &self.fields;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("database", &self.database)?;
        map.serialize_entry("schema", &self.schema)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("resource_type", "source")?;
        map.serialize_entry("package_name", &self.package_name)?;
        map.serialize_entry("path", &self.original_file_path)?;
        map.serialize_entry("original_file_path", &self.original_file_path)?;
        map.serialize_entry("unique_id", &self.unique_id)?;
        map.serialize_entry("fqn", &self.fqn)?;
        map.serialize_entry("source_name", &self.source_name)?;
        map.serialize_entry("source_description", &fields.source_description)?;
        map.serialize_entry("loader", &fields.loader)?;
        map.serialize_entry("identifier", &self.identifier)?;
        map.serialize_entry("quoting", &self.quoting)?;
        map.serialize_entry("loaded_at_field", &fields.loaded_at_field)?;
        map.serialize_entry("loaded_at_query", &fields.loaded_at_query)?;
        map.serialize_entry("freshness", &fields.freshness)?;
        map.serialize_entry("external", &fields.external)?;
        map.serialize_entry("description", &fields.description)?;
        map.serialize_entry("columns", &self.columns)?;
        map.serialize_entry("meta", &fields.meta)?;
        map.serialize_entry("source_meta", &fields.source_meta)?;
        map.serialize_entry("tags", &fields.tags)?;
        map.serialize_entry("config", &self.config)?;
        map.serialize_entry("patch_path", &self.patch_path)?;
        map.serialize_entry("unrendered_config", &self.unrendered_config)?;
        map.serialize_entry("relation_name", &self.relation_name)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("unrendered_database", &self.unrendered_database)?;
        map.serialize_entry("unrendered_schema", &self.unrendered_schema)?;
        map.serialize_entry("doc_blocks", &fields.doc_blocks)?;
        map.end()
    }
}
