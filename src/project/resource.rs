//! The kinds of things that a project is made of, under dbt's names.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::stored::{Input, Output, Stored};

/// The `resource_type` of a node, a macro or a documentation block, as artifacts and selectors write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    Model,
    Analysis,
    Test,
    Snapshot,
    Operation,
    Seed,
    SqlOperation,
    Doc,
    Source,
    Macro,
    Exposure,
    Metric,
    Group,
    SavedQuery,
    SemanticModel,
    UnitTest,
    Function,
}

impl Stored for ResourceType {
    fn put(&self, out: &mut Output) {
        let index = ResourceType::ALL.iter().position(|kind| kind == self);
        out.number(index.unwrap_or_default() as u64);
    }

    fn get(input: &mut Input) -> Option<Self> {
        ResourceType::ALL.get(usize::try_from(input.number()?).ok()?).copied()
    }
}

impl ResourceType {
    /// All kinds.
    pub const ALL: [ResourceType; 17] = [
        ResourceType::Model,
        ResourceType::Analysis,
        ResourceType::Test,
        ResourceType::Snapshot,
        ResourceType::Operation,
        ResourceType::Seed,
        ResourceType::SqlOperation,
        ResourceType::Doc,
        ResourceType::Source,
        ResourceType::Macro,
        ResourceType::Exposure,
        ResourceType::Metric,
        ResourceType::Group,
        ResourceType::SavedQuery,
        ResourceType::SemanticModel,
        ResourceType::UnitTest,
        ResourceType::Function,
    ];

    /// The kind that artifacts call by this word.
    pub fn from_name(name: &str) -> Option<ResourceType> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether `ref()` may point to it.
    pub fn is_refable(self) -> bool {
        matches!(self, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
    }

    /// The word for it in artifacts, unique ids and selectors.
    pub fn as_str(self) -> &'static str {
        match self {
            ResourceType::Model => "model",
            ResourceType::Analysis => "analysis",
            ResourceType::Test => "test",
            ResourceType::Snapshot => "snapshot",
            ResourceType::Operation => "operation",
            ResourceType::Seed => "seed",
            ResourceType::SqlOperation => "sql_operation",
            ResourceType::Doc => "doc",
            ResourceType::Source => "source",
            ResourceType::Macro => "macro",
            ResourceType::Exposure => "exposure",
            ResourceType::Metric => "metric",
            ResourceType::Group => "group",
            ResourceType::SavedQuery => "saved_query",
            ResourceType::SemanticModel => "semantic_model",
            ResourceType::UnitTest => "unit_test",
            ResourceType::Function => "function",
        }
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
