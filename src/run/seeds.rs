//! Seeds: the rows of a CSV file, typed as dbt types them.

use std::path::Path;

use serde_json::Value as Json;

use crate::error::Result;
use crate::manifest::Node;
use crate::warehouse::Table;
use crate::warehouse::seed::Seed;

/// Reads the file of a seed.
pub fn seed_table(node: &Node, path: &Path) -> Result<Table> {
    let delimiter = node.config.get_str("delimiter").unwrap_or(",");
    let typed = node.config.get("column_types").and_then(Json::as_object);
    let text_columns: Vec<&str> =
        typed.into_iter().flat_map(|types| types.keys()).map(String::as_str).collect();
    Seed::read(path, delimiter, &text_columns)?.table()
}
