//! The kinds of things a project is made of.

use std::fmt;

use serde::{Serialize, Serializer};

/// A kind of resource, with dbt's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceType {
    Model,
    Analysis,
    Test,
    Snapshot,
    Operation,
    Seed,
    Function,
    Documentation,
    Source,
    Macro,
    Exposure,
    Metric,
    Group,
    SavedQuery,
    SemanticModel,
    UnitTest,
    Fixture,
    SqlOperation,
}

impl ResourceType {
    const NAMES: [(ResourceType, &'static str); 18] = [
        (ResourceType::Model, "model"),
        (ResourceType::Analysis, "analysis"),
        (ResourceType::Test, "test"),
        (ResourceType::Snapshot, "snapshot"),
        (ResourceType::Operation, "operation"),
        (ResourceType::Seed, "seed"),
        (ResourceType::Function, "function"),
        (ResourceType::Documentation, "doc"),
        (ResourceType::Source, "source"),
        (ResourceType::Macro, "macro"),
        (ResourceType::Exposure, "exposure"),
        (ResourceType::Metric, "metric"),
        (ResourceType::Group, "group"),
        (ResourceType::SavedQuery, "saved_query"),
        (ResourceType::SemanticModel, "semantic_model"),
        (ResourceType::UnitTest, "unit_test"),
        (ResourceType::Fixture, "fixture"),
        (ResourceType::SqlOperation, "sql_operation"),
    ];

    /// dbt's name: `model`, `unit_test`, …
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind that dbt calls by this name.
    pub fn from_name(name: &str) -> Option<ResourceType> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Whether `ref()` may point to it.
    pub fn is_refable(self) -> bool {
        matches!(self, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for ResourceType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
