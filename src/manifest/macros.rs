//! Macros and documentation blocks.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::Id;
use crate::stored::stored;

/// A macro, generic test or materialization.
#[derive(Debug, Clone)]
pub struct Macro {
    pub unique_id: Id,
    pub name: String,
    pub package_name: Arc<str>,
    /// The file, relative to its project.
    pub original_file_path: String,
    /// The whole block, tags included.
    pub macro_sql: String,
    pub depends_on: Vec<Id>,
    pub description: String,
    pub meta: Map<String, Json>,
    pub docs: Json,
    pub patch_path: Option<String>,
    pub arguments: Vec<MacroArgument>,
    /// Seconds since the epoch.
    pub created_at: f64,
    /// Of materializations: the languages they accept.
    pub supported_languages: Option<Vec<String>>,
    /// Keys under `config:` beyond meta and docs are dropped, as dbt does.
    pub first_line: usize,
}

/// A documented argument of a macro.
#[derive(Debug, Clone, Serialize)]
pub struct MacroArgument {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: Option<String>,
    pub description: String,
}

stored!(Macro {
    unique_id,
    name,
    package_name,
    original_file_path,
    macro_sql,
    depends_on,
    description,
    meta,
    docs,
    patch_path,
    arguments,
    created_at,
    supported_languages,
    first_line,
});
stored!(MacroArgument { name, data_type, description });
stored!(Doc { name, resource_type, package_name, path, original_file_path, unique_id, block_contents });

impl Serialize for Macro {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("resource_type", "macro")?;
        map.serialize_entry("package_name", &self.package_name)?;
        map.serialize_entry("path", &self.original_file_path)?;
        map.serialize_entry("original_file_path", &self.original_file_path)?;
        map.serialize_entry("unique_id", &self.unique_id)?;
        map.serialize_entry("macro_sql", &self.macro_sql)?;
        map.serialize_entry("depends_on", &serde_json::json!({ "macros": self.depends_on }))?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("meta", &self.meta)?;
        map.serialize_entry("docs", &self.docs)?;
        map.serialize_entry("config", &serde_json::json!({ "meta": self.meta, "docs": self.docs }))?;
        map.serialize_entry("patch_path", &self.patch_path)?;
        map.serialize_entry("arguments", &self.arguments)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("supported_languages", &self.supported_languages)?;
        map.end()
    }
}

/// A `{% docs %}` block.
#[derive(Debug, Clone, Serialize)]
pub struct Doc {
    pub name: String,
    pub resource_type: &'static str,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub unique_id: Id,
    pub block_contents: String,
}
