//! The manifest: every node of a project as plain data, and nothing that acts.
//!
//! The serialized form is dbt's `manifest.json`, version 12
//! (<https://schemas.getdbt.com/dbt/manifest/v12.json>); field names and order follow what dbt writes.

mod lookup;
mod macros;
mod node;
mod source;
mod yaml_only;

pub use crate::project::resource::ResourceType;
pub use lookup::{Found, Lookup, version_suffix};
pub use macros::{Doc, Macro, MacroArgument};
pub use node::{
    Checksum, Column, Compiled, Contract, DependsOn, Details, ModelFields, Node, RefArgs, Reference,
    TestFields, TestMetadata, WithCompiled,
};
pub use source::{Quoting, Source, SourceFields};
pub use yaml_only::{Exposure, Fixture, Group, SemanticResource, UnitTest, UnitTestInput};

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::stored::{Input, Output, Stored};

/// The unique id of a node: `model.package.name`.
pub type Id = Arc<str>;

/// What stands at the head of every artifact that comes from one invocation.
#[derive(Debug, Clone, Serialize)]
pub struct Metadata {
    pub dbt_schema_version: String,
    pub dbt_version: String,
    pub generated_at: String,
    pub invocation_id: String,
    pub invocation_started_at: String,
    pub env: Map<String, Json>,
    pub project_name: String,
    pub project_id: String,
    pub user_id: Option<String>,
    pub send_anonymous_usage_stats: bool,
    pub adapter_type: String,
    pub quoting: Quoting,
    pub run_started_at: String,
}

/// All that was parsed, in the order it was found.
#[derive(Debug, Default, Clone)]
pub struct Manifest {
    /// Models, seeds, snapshots, tests, analyses and operations.
    pub nodes: IndexMap<Id, Node>,
    pub sources: IndexMap<Id, Source>,
    pub macros: IndexMap<Id, Macro>,
    pub docs: IndexMap<Id, Doc>,
    pub exposures: IndexMap<Id, Exposure>,
    pub groups: IndexMap<Id, Group>,
    pub unit_tests: IndexMap<Id, UnitTest>,
    pub functions: IndexMap<Id, Node>,
    pub metrics: IndexMap<Id, SemanticResource>,
    pub semantic_models: IndexMap<Id, SemanticResource>,
    pub saved_queries: IndexMap<Id, SemanticResource>,
    /// Nodes that a configuration switched off; several may share an id.
    pub disabled: IndexMap<Id, Vec<Disabled>>,
}

/// A resource that is switched off.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Disabled {
    Node(Box<Node>),
    Source(Box<Source>),
    Exposure(Box<Exposure>),
    UnitTest(Box<UnitTest>),
    Semantic(Box<SemanticResource>),
}

impl Disabled {
    /// The resource as any other.
    pub fn resource(&self) -> Resource<'_> {
        match self {
            Disabled::Node(node) => Resource::Node(node),
            Disabled::Source(source) => Resource::Source(source),
            Disabled::Exposure(exposure) => Resource::Exposure(exposure),
            Disabled::UnitTest(test) => Resource::UnitTest(test),
            Disabled::Semantic(resource) => Resource::Semantic(resource),
        }
    }
}

/// A letter for the kind, then the resource.
impl Stored for Disabled {
    fn put(&self, out: &mut Output) {
        match self {
            Disabled::Node(node) => {
                out.raw(b"n");
                node.put(out);
            }
            Disabled::Source(source) => {
                out.raw(b"s");
                source.put(out);
            }
            Disabled::Exposure(exposure) => {
                out.raw(b"e");
                exposure.put(out);
            }
            Disabled::UnitTest(test) => {
                out.raw(b"u");
                test.put(out);
            }
            Disabled::Semantic(resource) => {
                out.raw(b"m");
                resource.put(out);
            }
        }
    }

    fn get(input: &mut Input) -> Option<Self> {
        Some(match input.raw(1)? {
            b"n" => Disabled::Node(Stored::get(input)?),
            b"s" => Disabled::Source(Stored::get(input)?),
            b"e" => Disabled::Exposure(Stored::get(input)?),
            b"u" => Disabled::UnitTest(Stored::get(input)?),
            b"m" => Disabled::Semantic(Stored::get(input)?),
            _ => return None,
        })
    }
}

/// What every resource of the graph has, whatever its kind.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    Node(&'a Node),
    Source(&'a Source),
    Exposure(&'a Exposure),
    UnitTest(&'a UnitTest),
    Semantic(&'a SemanticResource),
}

impl Manifest {
    /// The resource with this id, whatever its kind.
    pub fn resource(&self, id: &str) -> Option<Resource<'_>> {
        let kind = id.split('.').next().and_then(ResourceType::from_name)?;
        match kind {
            ResourceType::Source => self.sources.get(id).map(Resource::Source),
            ResourceType::Exposure => self.exposures.get(id).map(Resource::Exposure),
            ResourceType::UnitTest => self.unit_tests.get(id).map(Resource::UnitTest),
            ResourceType::Metric => self.metrics.get(id).map(Resource::Semantic),
            ResourceType::SemanticModel => self.semantic_models.get(id).map(Resource::Semantic),
            ResourceType::SavedQuery => self.saved_queries.get(id).map(Resource::Semantic),
            ResourceType::Function => self.functions.get(id).map(Resource::Node),
            _ => self.nodes.get(id).map(Resource::Node),
        }
    }

    /// All resources that stand in the graph, in the order they were parsed.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        let semantic = self.semantic_models.values().chain(self.metrics.values());
        (self.nodes.values().chain(self.functions.values()).map(Resource::Node))
            .chain(self.sources.values().map(Resource::Source))
            .chain(self.exposures.values().map(Resource::Exposure))
            .chain(semantic.chain(self.saved_queries.values()).map(Resource::Semantic))
            .chain(self.unit_tests.values().map(Resource::UnitTest))
    }

    /// A node (or function) that runs or compiles.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id).or_else(|| self.functions.get(id))
    }

    /// The same, to be changed.
    pub fn node_mut(&mut self, id: &str) -> Option<&mut Node> {
        match self.nodes.get_mut(id) {
            Some(node) => Some(node),
            None => self.functions.get_mut(id),
        }
    }
}

impl<'a> Resource<'a> {
    /// The unique id.
    pub fn id(self) -> &'a Id {
        match self {
            Resource::Node(node) => &node.unique_id,
            Resource::Source(source) => &source.unique_id,
            Resource::Exposure(exposure) => &exposure.unique_id,
            Resource::UnitTest(test) => &test.unique_id,
            Resource::Semantic(resource) => &resource.unique_id,
        }
    }

    /// The kind of resource.
    pub fn resource_type(self) -> ResourceType {
        match self {
            Resource::Node(node) => node.resource_type,
            Resource::Source(_) => ResourceType::Source,
            Resource::Exposure(_) => ResourceType::Exposure,
            Resource::UnitTest(_) => ResourceType::UnitTest,
            Resource::Semantic(resource) => resource.resource_type,
        }
    }

    /// The name as the user wrote it.
    pub fn name(self) -> &'a str {
        match self {
            Resource::Node(node) => &node.name,
            Resource::Source(source) => &source.name,
            Resource::Exposure(exposure) => &exposure.name,
            Resource::UnitTest(test) => &test.name,
            Resource::Semantic(resource) => &resource.name,
        }
    }

    /// The package (project) it belongs to.
    pub fn package_name(self) -> &'a str {
        match self {
            Resource::Node(node) => &node.package_name,
            Resource::Source(source) => &source.package_name,
            Resource::Exposure(exposure) => &exposure.package_name,
            Resource::UnitTest(test) => &test.package_name,
            Resource::Semantic(resource) => &resource.package_name,
        }
    }

    /// The fully qualified name: package, folders, name.
    pub fn fqn(self) -> &'a [String] {
        match self {
            Resource::Node(node) => &node.fqn,
            Resource::Source(source) => &source.fqn,
            Resource::Exposure(exposure) => &exposure.fqn,
            Resource::UnitTest(test) => &test.fqn,
            Resource::Semantic(resource) => &resource.fqn,
        }
    }

    /// The file it was written in, relative to its project.
    pub fn original_file_path(self) -> &'a str {
        match self {
            Resource::Node(node) => &node.original_file_path,
            Resource::Source(source) => &source.original_file_path,
            Resource::Exposure(exposure) => &exposure.original_file_path,
            Resource::UnitTest(test) => &test.original_file_path,
            Resource::Semantic(resource) => &resource.original_file_path,
        }
    }

    /// The resolved configuration.
    pub fn config(self) -> &'a crate::project::config::Config {
        match self {
            Resource::Node(node) => &node.config,
            Resource::Source(source) => &source.config,
            Resource::Exposure(exposure) => &exposure.config,
            Resource::UnitTest(test) => &test.config,
            Resource::Semantic(resource) => &resource.config,
        }
    }

    /// The ids it depends on.
    pub fn depends_on(self) -> &'a [Id] {
        match self {
            Resource::Node(node) => &node.depends_on.nodes,
            Resource::Source(_) => &[],
            Resource::Exposure(exposure) => &exposure.depends_on.nodes,
            Resource::UnitTest(test) => &test.depends_on.nodes,
            Resource::Semantic(resource) => &resource.depends_on.nodes,
        }
    }
}
