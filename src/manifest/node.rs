//! The nodes that run or compile: models, seeds, snapshots, tests, analyses, operations, functions.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::{Id, ResourceType};
use crate::project::config::Config;
use crate::stored::{Input, Later, Output, Stored, stored};

/// One node: what selecting and linking look at in all nodes. The rest is in its [`Details`], whose fields can be
/// named as if they were its own.
#[derive(Debug, Clone)]
pub struct Node {
    pub unique_id: Id,
    pub resource_type: ResourceType,
    pub name: String,
    pub package_name: Arc<str>,
    /// Relative to the project (`models/staging/stg_artist.sql`).
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub config: Config,
    pub depends_on: DependsOn,
    pub model: Option<Arc<ModelFields>>,
    /// Read when they are looked at, of a node that an earlier invocation parsed.
    pub details: Later<Details>,
    /// What [`Node::is_blank`] said when it was stored.
    pub was_blank: bool,
}

/// What a node consists of, beside what all nodes are searched by. What only some kinds have is in [`TestFields`] and
/// `root_path`.
#[derive(Debug, Clone)]
pub struct Details {
    /// Relative to the resource folder (`staging/stg_artist.sql`).
    pub path: String,
    pub alias: String,
    pub database: String,
    pub schema: String,
    pub checksum: Checksum,
    pub unrendered_config: Map<String, Json>,
    pub description: String,
    pub columns: IndexMap<String, Column>,
    pub patch_path: Option<String>,
    pub build_path: Option<String>,
    /// Seconds since the epoch.
    pub created_at: f64,
    pub relation_name: Option<String>,
    pub raw_code: Arc<str>,
    pub doc_blocks: Vec<String>,
    pub language: &'static str,
    pub refs: Vec<RefArgs>,
    /// Pairs of source name and table name.
    pub sources: Vec<Vec<String>>,
    pub metrics: Vec<Vec<String>>,
    pub functions: Vec<Vec<String>>,
    pub contract: Contract,
    /// The folder of a seed's project, where its file is found.
    pub root_path: Option<String>,
    pub test: Option<Box<TestFields>>,
    /// What a function has besides (arguments, returns), as written in YAML.
    pub function: Option<Map<String, Json>>,
    /// Where its text starts in the file (snapshots and hooks share files). Counted from 1.
    pub first_line: usize,
    /// Filled when the node is compiled.
    pub compiled: Option<Box<Compiled>>,
}

impl Deref for Node {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.details
    }
}

impl DerefMut for Node {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.details
    }
}

/// What compiling adds to a node.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    pub compiled_code: String,
    /// Where it was written, relative to the project.
    pub compiled_path: Option<String>,
    /// Ephemeral models put before the statement: id and SQL.
    pub extra_ctes: Vec<(Id, String)>,
}

/// A file's hash, to see whether it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checksum {
    pub name: &'static str,
    pub checksum: String,
}

impl Checksum {
    /// The checksum of resources that have no file of their own.
    pub fn none() -> Self {
        Checksum { name: "none", checksum: String::new() }
    }
}

/// The arguments of a `ref()` call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefArgs {
    pub name: String,
    pub package: Option<String>,
    pub version: Option<Json>,
}

impl Stored for Node {
    fn put(&self, out: &mut Output) {
        self.is_blank().put(out);
        self.unique_id.put(out);
        self.resource_type.put(out);
        self.name.put(out);
        self.package_name.put(out);
        self.original_file_path.put(out);
        self.fqn.put(out);
        self.config.put(out);
        self.depends_on.put(out);
        self.model.put(out);
        self.details.put(out);
    }

    fn get(input: &mut Input) -> Option<Self> {
        Some(Node {
            was_blank: Stored::get(input)?,
            unique_id: Stored::get(input)?,
            resource_type: Stored::get(input)?,
            name: Stored::get(input)?,
            package_name: Stored::get(input)?,
            original_file_path: Stored::get(input)?,
            fqn: Stored::get(input)?,
            config: Stored::get(input)?,
            depends_on: Stored::get(input)?,
            model: Stored::get(input)?,
            details: Stored::get(input)?,
        })
    }
}

stored!(Details {
    path,
    alias,
    database,
    schema,
    checksum,
    unrendered_config,
    description,
    columns,
    patch_path,
    build_path,
    created_at,
    relation_name,
    raw_code,
    doc_blocks,
    language,
    refs,
    sources,
    metrics,
    functions,
    contract,
    root_path,
    test,
    function,
    first_line,
    compiled,
});
stored!(Compiled { compiled_code, compiled_path, extra_ctes });
stored!(Checksum { name, checksum });
stored!(RefArgs { name, package, version });
stored!(DependsOn { macros, nodes });
stored!(Column {
    name,
    description,
    meta,
    data_type,
    constraints,
    quote,
    config,
    tags,
    granularity,
    doc_blocks,
    extra,
});
stored!(Contract { enforced, alias_types, checksum });
stored!(ModelFields {
    access,
    constraints,
    version,
    latest_version,
    deprecation_date,
    primary_key,
    time_spine,
});
stored!(TestFields {
    column_name,
    file_key_name,
    attached_node,
    attached_tags,
    attached_group,
    test_metadata
});
stored!(TestMetadata { name, kwargs, namespace });

/// What a `ref()` or `source()` call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    Ref(RefArgs),
    /// Source name and table name.
    Source(Vec<String>),
}

/// What a node needs: macros that were called while it was parsed, and nodes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DependsOn {
    pub macros: Vec<Id>,
    pub nodes: Vec<Id>,
}

impl DependsOn {
    /// Adds a node once.
    pub fn add_node(&mut self, id: &Id) {
        if !self.nodes.contains(id) {
            self.nodes.push(id.clone());
        }
    }

    /// Adds a macro once.
    pub fn add_macro(&mut self, id: &str) {
        if !self.macros.iter().any(|known| &**known == id) {
            self.macros.push(id.into());
        }
    }
}

/// A column as documented in YAML.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    pub name: String,
    pub description: String,
    pub meta: Map<String, Json>,
    pub data_type: Option<String>,
    pub constraints: Vec<Json>,
    pub quote: Option<bool>,
    pub config: Map<String, Json>,
    pub tags: Vec<Json>,
    pub granularity: Option<String>,
    pub doc_blocks: Vec<String>,
    /// Keys that dbt does not know, kept.
    #[serde(flatten)]
    pub extra: Map<String, Json>,
}

/// Whether the shape of a model is promised, and a hash of the promise.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Contract {
    pub enforced: bool,
    pub alias_types: bool,
    pub checksum: Option<String>,
}

/// What only models have.
#[derive(Debug, Clone, Default)]
pub struct ModelFields {
    /// `private`, `protected` or `public`.
    pub access: String,
    pub constraints: Vec<Json>,
    pub version: Option<Json>,
    pub latest_version: Option<Json>,
    pub deprecation_date: Option<String>,
    pub primary_key: Vec<String>,
    pub time_spine: Option<Json>,
}

/// What only generic tests have.
#[derive(Debug, Clone)]
pub struct TestFields {
    pub column_name: Option<String>,
    pub file_key_name: String,
    pub attached_node: Option<Id>,
    pub test_metadata: TestMetadata,
    /// The tags of what it is attached to.
    pub attached_tags: Vec<Json>,
    /// The group of the model it is attached to.
    pub attached_group: Option<String>,
}

/// Which generic test it is, with its arguments as written.
#[derive(Debug, Clone, Serialize)]
pub struct TestMetadata {
    pub name: String,
    pub kwargs: Map<String, Json>,
    pub namespace: Option<String>,
}

impl Node {
    /// A node with the defaults of its kind.
    pub fn new(
        kind: ResourceType,
        unique_id: String,
        name: &str,
        package: &str,
        file: String,
        details: Details,
    ) -> Self {
        Node {
            unique_id: unique_id.into(),
            resource_type: kind,
            name: name.to_owned(),
            package_name: package.into(),
            original_file_path: file,
            fqn: Vec::new(),
            config: Config::new(kind),
            depends_on: DependsOn::default(),
            model: None,
            details: details.into(),
            was_blank: true,
        }
    }

    /// Whether its code is white space alone.
    pub fn is_blank(&self) -> bool {
        self.details.if_here().map_or(self.was_blank, |details| details.raw_code.trim().is_empty())
    }

    /// The configured materialization.
    pub fn materialized(&self) -> &str {
        self.config.get_str("materialized").unwrap_or_default()
    }

    /// Whether the node lives only inside the statements of others.
    pub fn is_ephemeral(&self) -> bool {
        self.resource_type == ResourceType::Model && self.materialized() == "ephemeral"
    }

    /// Whether it takes part: in the manifest as in dbt are also tests whose node is missing or switched off.
    pub fn is_enabled(&self) -> bool {
        self.config.get_bool("enabled") != Some(false)
    }

    /// Whether this is a test declared in YAML (as against one SQL file).
    pub fn is_generic_test(&self) -> bool {
        self.test.is_some()
    }

    /// The model's version, if it has one.
    pub fn version(&self) -> Option<&Json> {
        self.model.as_ref().and_then(|model| model.version.as_ref())
    }

    /// Its tags: a generic test has those of what it is attached to besides its own.
    pub fn tags(&self) -> Vec<&str> {
        let attached = self.test.as_ref().map(|test| test.attached_tags.as_slice()).unwrap_or_default();
        let own = match self.config.get("tags") {
            Some(Json::Array(tags)) => tags.as_slice(),
            Some(tag) => std::slice::from_ref(tag),
            None => &[],
        };
        let mut tags = Vec::with_capacity(attached.len() + own.len());
        for tag in attached.iter().chain(own).filter_map(Json::as_str) {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }

    /// Its group: that of the model, for a generic test of one.
    pub fn group(&self) -> Option<&str> {
        let attached = self.test.as_ref().and_then(|test| test.attached_group.as_deref());
        attached.or_else(|| self.config.get_str("group"))
    }

    /// Where its compiled and run files stand below their package's folder. Tests in YAML and their kin share a
    /// file, so they get one each in a folder of that name, and so do batches of a model, by their `suffix`.
    pub fn write_path(&self, suffix: Option<&str>) -> PathBuf {
        if let Some(suffix) = suffix {
            let path = Path::new(&self.original_file_path);
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            return path.with_file_name(&*stem).join(format!("{stem}_{suffix}.sql"));
        }
        let file_name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        if file_name(&self.path) == file_name(&self.original_file_path) {
            PathBuf::from(&self.original_file_path)
        } else {
            Path::new(&self.original_file_path).join(&self.path)
        }
    }

    /// Whether a model is the latest of its versions (models without versions are).
    pub fn is_latest_version(&self) -> bool {
        self.model.as_ref().is_none_or(|model| model.version == model.latest_version)
    }
}

impl Details {
    /// The details of a node that is named after itself, with the defaults of all kinds.
    pub fn new(name: &str) -> Self {
        Details {
            path: String::new(),
            alias: name.to_owned(),
            database: String::new(),
            schema: String::new(),
            checksum: Checksum::none(),
            unrendered_config: Map::new(),
            description: String::new(),
            columns: IndexMap::new(),
            patch_path: None,
            build_path: None,
            created_at: 0.0,
            relation_name: None,
            raw_code: "".into(),
            doc_blocks: Vec::new(),
            language: "sql",
            refs: Vec::new(),
            sources: Vec::new(),
            metrics: Vec::new(),
            functions: Vec::new(),
            contract: Contract { alias_types: true, ..Contract::default() },
            root_path: None,
            test: None,
            function: None,
            first_line: 1,
            compiled: None,
        }
    }
}

/// A node with what compiling added to it since it was parsed.
#[derive(Debug, Clone, Copy)]
pub struct WithCompiled<'a> {
    pub node: &'a Node,
    pub compiled: Option<&'a Compiled>,
}

impl Serialize for WithCompiled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.node.serialize_with(self.compiled.or(self.node.compiled.as_deref()), serializer)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_with(self.compiled.as_deref(), serializer)
    }
}

impl Node {
    fn serialize_with<S: Serializer>(
        &self,
        compiled: Option<&Compiled>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_identity(&mut map)?;
        self.serialize_properties(&mut map)?;
        if self.resource_type == ResourceType::Seed {
            map.serialize_entry("root_path", &self.root_path)?;
            map.serialize_entry("depends_on", &serde_json::json!({ "macros": self.depends_on.macros }))?;
            return map.end();
        }
        self.serialize_code(&mut map, compiled)?;
        if let Some(model) = &self.model {
            map.serialize_entry("access", &model.access)?;
            map.serialize_entry("constraints", &model.constraints)?;
            map.serialize_entry("version", &model.version)?;
            map.serialize_entry("latest_version", &model.latest_version)?;
            map.serialize_entry("deprecation_date", &model.deprecation_date)?;
            map.serialize_entry("primary_key", &model.primary_key)?;
            map.serialize_entry("time_spine", &model.time_spine)?;
        }
        if let Some(test) = &self.test {
            map.serialize_entry("column_name", &test.column_name)?;
            map.serialize_entry("file_key_name", &test.file_key_name)?;
            map.serialize_entry("attached_node", &test.attached_node)?;
            map.serialize_entry("test_metadata", &test.test_metadata)?;
        }
        for (key, value) in self.function.iter().flatten() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }

    fn serialize_identity<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("database", &self.database)?;
        map.serialize_entry("schema", &self.schema)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("resource_type", &self.resource_type)?;
        map.serialize_entry("package_name", &self.package_name)?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("original_file_path", &self.original_file_path)?;
        map.serialize_entry("unique_id", &self.unique_id)?;
        map.serialize_entry("fqn", &self.fqn)?;
        map.serialize_entry("alias", &self.alias)?;
        map.serialize_entry("checksum", &self.checksum)
    }

    fn serialize_properties<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let show = || serde_json::json!({ "show": true, "node_color": null });
        if self.resource_type == ResourceType::Operation {
            // When a hook runs is the first tag of the node, which its config does not show.
            let mut config = self.config.clone();
            config.set("tags", self.tags().iter().skip(1).cloned().collect());
            map.serialize_entry("config", &config)?;
            // A hook is named after its place in the list.
            let index = self.name.rsplit('-').next().and_then(|index| index.parse::<usize>().ok());
            map.serialize_entry("index", &index)?;
        } else {
            map.serialize_entry("config", &self.config)?;
        }
        map.serialize_entry("tags", &self.tags())?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("columns", &self.columns)?;
        map.serialize_entry("meta", self.config.get("meta").unwrap_or(&Json::Object(Map::new())))?;
        map.serialize_entry("group", &self.group())?;
        map.serialize_entry("docs", self.config.get("docs").unwrap_or(&show()))?;
        map.serialize_entry("patch_path", &self.patch_path)?;
        map.serialize_entry("build_path", &self.build_path)?;
        map.serialize_entry("unrendered_config", &self.unrendered_config)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("relation_name", &self.relation_name)?;
        map.serialize_entry("raw_code", &self.raw_code)?;
        map.serialize_entry("doc_blocks", &self.doc_blocks)
    }

    fn serialize_code<M: SerializeMap>(
        &self,
        map: &mut M,
        compiled: Option<&Compiled>,
    ) -> Result<(), M::Error> {
        map.serialize_entry("language", self.language)?;
        map.serialize_entry("refs", &self.refs)?;
        map.serialize_entry("sources", &self.sources)?;
        map.serialize_entry("metrics", &self.metrics)?;
        map.serialize_entry("functions", &self.functions)?;
        map.serialize_entry("depends_on", &self.depends_on)?;
        map.serialize_entry("compiled_path", &compiled.and_then(|compiled| compiled.compiled_path.as_ref()))?;
        if let Some(compiled) = compiled {
            map.serialize_entry("compiled", &true)?;
            map.serialize_entry("compiled_code", &compiled.compiled_code)?;
            map.serialize_entry("extra_ctes_injected", &true)?;
            let ctes: Vec<Json> = compiled
                .extra_ctes
                .iter()
                .map(|(id, sql)| serde_json::json!({ "id": &**id, "sql": sql }))
                .collect();
            map.serialize_entry("extra_ctes", &ctes)?;
        }
        map.serialize_entry("contract", &self.contract)
    }
}
