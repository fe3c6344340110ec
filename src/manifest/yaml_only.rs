//! Resources that exist in YAML alone: exposures, groups, unit tests and the semantic layer.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::{DependsOn, Id, RefArgs, ResourceType};
use crate::project::config::Config;
use crate::stored::stored;

/// Somebody's use of the project's tables: a dashboard, a notebook, an application.
#[derive(Debug, Clone, Serialize)]
pub struct Exposure {
    pub name: String,
    pub resource_type: ResourceType,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub unique_id: Id,
    pub fqn: Vec<String>,
    #[serde(rename = "type")]
    pub exposure_type: String,
    pub owner: Json,
    pub description: String,
    pub label: Option<String>,
    pub maturity: Option<String>,
    pub meta: Json,
    pub tags: Json,
    pub config: Config,
    pub unrendered_config: Map<String, Json>,
    pub url: Option<String>,
    pub depends_on: DependsOn,
    pub refs: Vec<RefArgs>,
    pub sources: Vec<Vec<String>>,
    pub metrics: Vec<Vec<String>>,
    /// Seconds since the epoch.
    pub created_at: f64,
    /// Line in the YAML file, counted from 1.
    #[serde(skip)]
    pub line: usize,
}

/// Who owns a set of models.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub name: String,
    pub resource_type: ResourceType,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub unique_id: Id,
    pub owner: Json,
    pub description: Option<String>,
    pub config: Config,
}

/// A test of one model's logic on rows written by hand.
#[derive(Debug, Clone)]
pub struct UnitTest {
    pub unique_id: Id,
    pub name: String,
    pub package_name: Arc<str>,
    /// The model's name as written.
    pub model: String,
    pub path: String,
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub given: Vec<UnitTestInput>,
    pub expect: Fixture,
    pub description: String,
    /// `macros`, `vars` and `env_vars` to replace.
    pub overrides: Option<Json>,
    pub depends_on: DependsOn,
    pub config: Config,
    pub checksum: Option<String>,
    pub schema: Option<String>,
    /// Seconds since the epoch.
    pub created_at: f64,
    /// Which versions of the model to test: `include` / `exclude`.
    pub versions: Option<Json>,
    pub version: Option<Json>,
    /// Line in the YAML file, counted from 1.
    pub line: usize,
}

impl UnitTest {
    /// The name, with the version of the model that is tested: `rounds_v2`.
    pub fn versioned_name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}_{}", self.name, super::version_suffix(version)),
            None => self.name.clone(),
        }
    }
}

/// Rows that stand in for an input.
#[derive(Debug, Clone)]
pub struct UnitTestInput {
    /// `ref('x')`, `source('a', 'b')` or `this`, as written.
    pub input: String,
    pub rows: Fixture,
}

/// Rows in one of dbt's three formats, inline or in a file.
#[derive(Debug, Clone, Serialize)]
pub struct Fixture {
    pub rows: Json,
    /// `dict`, `csv` or `sql`.
    pub format: String,
    pub fixture: Option<String>,
}

stored!(Exposure {
    name,
    resource_type,
    package_name,
    path,
    original_file_path,
    unique_id,
    fqn,
    exposure_type,
    owner,
    description,
    label,
    maturity,
    meta,
    tags,
    config,
    unrendered_config,
    url,
    depends_on,
    refs,
    sources,
    metrics,
    created_at,
    line,
});
stored!(Group {
    name,
    resource_type,
    package_name,
    path,
    original_file_path,
    unique_id,
    owner,
    description,
    config
});
stored!(UnitTest {
    unique_id,
    name,
    package_name,
    model,
    path,
    original_file_path,
    fqn,
    given,
    expect,
    description,
    overrides,
    depends_on,
    config,
    checksum,
    schema,
    created_at,
    versions,
    version,
    line,
});
stored!(UnitTestInput { input, rows });
stored!(Fixture { rows, format, fixture });
stored!(SemanticResource {
    unique_id,
    resource_type,
    name,
    package_name,
    path,
    original_file_path,
    fqn,
    config,
    depends_on,
    refs,
    created_at,
    fields,
    line,
});

impl Serialize for UnitTestInput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("input", &self.input)?;
        map.serialize_entry("rows", &self.rows.rows)?;
        map.serialize_entry("format", &self.rows.format)?;
        map.serialize_entry("fixture", &self.rows.fixture)?;
        map.end()
    }
}

impl Serialize for UnitTest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &self.model)?;
        map.serialize_entry("given", &self.given)?;
        map.serialize_entry("expect", &self.expect)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("resource_type", "unit_test")?;
        map.serialize_entry("package_name", &self.package_name)?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("original_file_path", &self.original_file_path)?;
        map.serialize_entry("unique_id", &self.unique_id)?;
        map.serialize_entry("fqn", &self.fqn)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("overrides", &self.overrides)?;
        map.serialize_entry("depends_on", &self.depends_on)?;
        map.serialize_entry("config", &self.config)?;
        map.serialize_entry("checksum", &self.checksum)?;
        map.serialize_entry("schema", &self.schema)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("versions", &self.versions)?;
        map.serialize_entry("version", &self.version)?;
        map.end()
    }
}

/// A metric, semantic model or saved query: parsed, checked for its references, and kept as written.
#[derive(Debug, Clone)]
pub struct SemanticResource {
    pub unique_id: Id,
    pub resource_type: ResourceType,
    pub name: String,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub config: Config,
    pub depends_on: DependsOn,
    pub refs: Vec<RefArgs>,
    /// Seconds since the epoch.
    pub created_at: f64,
    /// Line in the YAML file, counted from 1.
    pub line: usize,
    /// All other fields of the manifest's entry.
    pub fields: Map<String, Json>,
}

impl Serialize for SemanticResource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("resource_type", &self.resource_type)?;
        map.serialize_entry("package_name", &self.package_name)?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("original_file_path", &self.original_file_path)?;
        map.serialize_entry("unique_id", &self.unique_id)?;
        map.serialize_entry("fqn", &self.fqn)?;
        for (key, value) in &self.fields {
            map.serialize_entry(key, value)?;
        }
        map.serialize_entry("config", &self.config)?;
        map.serialize_entry("refs", &self.refs)?;
        map.serialize_entry("depends_on", &self.depends_on)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.end()
    }
}
