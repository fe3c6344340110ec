//! `catalog.json`.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::{header, write_json};
use crate::error::Result;
use crate::jinja::context::Shared;
use crate::manifest::Id;

/// A table or view as the warehouse has it.
#[derive(Debug, Clone)]
pub struct CatalogTable {
    pub database: String,
    pub schema: String,
    pub name: String,
    /// `BASE TABLE`, `VIEW`.
    pub kind: String,
    pub comment: Option<String>,
    pub owner: Option<String>,
    /// By name, in order.
    pub columns: Map<String, Json>,
}

impl CatalogTable {
    /// Adds a column; `index` is its place, counted from 1.
    pub fn add_column(&mut self, name: &str, data_type: &str, index: i64, comment: Option<String>) {
        let column = json!({ "type": data_type, "index": index, "name": name, "comment": comment });
        self.columns.insert(name.to_owned(), column);
    }

    fn to_json(&self, id: &Id) -> Json {
        json!({
            "metadata": {
                "type": self.kind,
                "schema": self.schema,
                "name": self.name,
                "database": self.database,
                "comment": self.comment,
                "owner": self.owner,
            },
            "columns": self.columns,
            "stats": {
                "has_stats": {
                    "id": "has_stats",
                    "label": "Has Stats?",
                    "value": false,
                    "include": false,
                    "description": "Indicates whether there are statistics for this table",
                },
            },
            "unique_id": &**id,
        })
    }
}

/// Writes the catalog of nodes and sources.
pub fn write_catalog(
    path: &Path,
    nodes: &IndexMap<Id, &CatalogTable>,
    sources: &IndexMap<Id, &CatalogTable>,
    shared: &Arc<Shared>,
) -> Result<()> {
    let entries = |tables: &IndexMap<Id, &CatalogTable>| -> Map<String, Json> {
        tables.iter().map(|(id, table)| (id.to_string(), table.to_json(id))).collect()
    };
    let content = json!({
        "metadata": header(shared, "catalog/v1"),
        "nodes": entries(nodes),
        "sources": entries(sources),
        "errors": null,
    });
    write_json(path, &content)
}
