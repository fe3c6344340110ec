//! The kinds of resources that commands work on.

use crate::error::{Error, Result};
use crate::manifest::ResourceType;

/// What `build` runs.
pub const BUILD_TYPES: &[ResourceType] = &[
    ResourceType::Model,
    ResourceType::Snapshot,
    ResourceType::Seed,
    ResourceType::Test,
    ResourceType::UnitTest,
    ResourceType::SavedQuery,
    ResourceType::Exposure,
    ResourceType::Function,
];

/// What `compile`, `show` and `docs generate` compile.
pub const COMPILE_TYPES: &[ResourceType] = &[
    ResourceType::Model,
    ResourceType::Test,
    ResourceType::Snapshot,
    ResourceType::Analysis,
    ResourceType::Operation,
    ResourceType::Seed,
    ResourceType::Doc,
    ResourceType::SqlOperation,
    ResourceType::Function,
];

/// What `test` runs.
pub const TEST_TYPES: &[ResourceType] = &[ResourceType::Test, ResourceType::UnitTest];

/// What `clone` clones.
pub const CLONE_TYPES: &[ResourceType] = &[ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot];

/// What `ls` lists unless told otherwise.
pub const LIST_TYPES: &[ResourceType] = &[
    ResourceType::Model,
    ResourceType::Snapshot,
    ResourceType::Seed,
    ResourceType::Test,
    ResourceType::Source,
    ResourceType::Exposure,
    ResourceType::Metric,
    ResourceType::SavedQuery,
    ResourceType::SemanticModel,
    ResourceType::UnitTest,
    ResourceType::Function,
];

/// What `ls --resource-type all` lists.
pub const LIST_ALL_TYPES: &[ResourceType] = &[
    ResourceType::Model,
    ResourceType::Snapshot,
    ResourceType::Seed,
    ResourceType::Test,
    ResourceType::Source,
    ResourceType::Exposure,
    ResourceType::Metric,
    ResourceType::SavedQuery,
    ResourceType::SemanticModel,
    ResourceType::UnitTest,
    ResourceType::Function,
    ResourceType::Analysis,
];

/// What `--resource-type` and `--exclude-resource-type` leave of a command's types.
///
/// # Arguments
/// - `included`: names of types, `all` or `default`; empty for the default.
/// - `excluded`: names of types.
/// - `all`, `default`: what these two words mean for the command.
///
/// # Errors
/// A name that is not a type.
pub fn resource_types(
    included: &[String],
    excluded: &[String],
    all: &[ResourceType],
    default: &[ResourceType],
) -> Result<Vec<ResourceType>> {
    let mut types = Vec::new();
    for name in included {
        match name.as_str() {
            "all" => types.extend(all),
            "default" => types.extend(default),
            name => types.push(type_of_name(name)?),
        }
    }
    if included.is_empty() {
        types.extend(default);
    }
    let excluded: Vec<ResourceType> =
        excluded.iter().map(|name| type_of_name(name)).collect::<Result<_>>()?;
    // A command takes no others, whatever it is asked for: `test` runs no models.
    types.retain(|kind| all.contains(kind) && !excluded.contains(kind));
    types.sort_unstable();
    types.dedup();
    Ok(types)
}

fn type_of_name(name: &str) -> Result<ResourceType> {
    ResourceType::from_name(name).ok_or_else(|| {
        Error::usage(format!("'{name}' is not a resource type")).help(
            "write model, seed, snapshot, test, unit_test, source, exposure, function, analysis, metric, …",
        )
    })
}
