//! Unit tests beside the models they test, once all models are known
//! (<https://docs.getdbt.com/reference/resource-properties/unit-test-input>).

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::Parser;
use super::sql_nodes::static_reference;
use super::yaml_resources::{csv_rows, unit_test_checksum};
use crate::error::{Error, Location, Result};
use crate::manifest::{Disabled, Id, Manifest, Node, Reference, ResourceType, UnitTest, version_suffix};

/// Makes one unit test of each version of its model that is to be tested, and disables those of disabled models.
/// Inputs without rows get those of the seed that they name.
pub fn settle(parser: &Parser, manifest: &mut Manifest) -> Result<()> {
    let mut errors = Vec::new();
    for (id, mut test) in std::mem::take(&mut manifest.unit_tests) {
        let is_tested = |node: &&Node| {
            node.model.is_some() && node.name == test.model && node.package_name == test.package_name
        };
        let versions: Vec<Option<Json>> =
            manifest.nodes.values().filter(is_tested).map(|node| node.version().cloned()).collect();
        let model_id = format!("model.{}.{}", test.package_name, test.model);
        let is_of_model = |id: &Id| {
            id.strip_prefix(model_id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(".v"))
        };
        if versions.is_empty() && manifest.disabled.keys().any(is_of_model) {
            test.config.set("enabled", Json::Bool(false));
            manifest.disabled.entry(id).or_default().push(Disabled::UnitTest(Box::new(test)));
            continue;
        }
        errors.extend(take_rows_of_seeds(parser, manifest, &mut test).err());
        match chosen_versions(&test, versions.into_iter().flatten().collect()) {
            Err(error) => errors.push(error),
            Ok(versions) if versions.is_empty() => drop(manifest.unit_tests.insert(id, test)),
            Ok(versions) => {
                for version in versions {
                    let mut of_version = test.clone();
                    of_version.unique_id = format!("{id}_{}", version_suffix(&version)).into();
                    of_version.version = Some(version);
                    manifest.unit_tests.insert(of_version.unique_id.clone(), of_version);
                }
            }
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}

fn take_rows_of_seeds(parser: &Parser, manifest: &Manifest, test: &mut UnitTest) -> Result<()> {
    for index in 0..test.given.len() {
        let given = &test.given[index];
        if !given.rows.rows.is_null() {
            continue;
        }
        let name = match static_reference(&parser.shared, &given.input) {
            Some(Reference::Ref(reference)) => reference.name,
            _ => given.input.clone(),
        };
        let is_seed = |node: &&Node| node.resource_type == ResourceType::Seed && node.name == name;
        let Some(seed) = manifest.nodes.values().find(is_seed) else {
            let package = &test.package_name;
            let message =
                format!("Unable to find seed '{package}.{name}' for unit tests: '{}' needs it", test.name);
            return Err(problem(test, message)
                .help("an input without rows takes those of a seed; add `rows: […]` for anything else"));
        };
        let path = Path::new(seed.root_path.as_deref().unwrap_or_default()).join(&seed.original_file_path);
        let text = fs::read_to_string(&path).map_err(|error| Error::io("read", &path, &error))?;
        test.given[index].rows.rows = csv_rows(&text).map_err(|message| problem(test, message))?;
        test.checksum = Some(unit_test_checksum(test));
    }
    Ok(())
}

/// The versions of the model that `versions:` of a unit test leaves; none if the model has no versions.
fn chosen_versions(test: &UnitTest, existing: Vec<Json>) -> Result<Vec<Json>> {
    let list = |name: &str| {
        let found = test.versions.as_ref().and_then(|versions| versions.get(name));
        let list = found.and_then(Json::as_array).cloned();
        list.filter(|list| !list.is_empty())
    };
    let (include, exclude) = (list("include"), list("exclude"));
    let name = &test.name;
    if include.is_some() && exclude.is_some() {
        return Err(problem(test, format!("unit test '{name}' both includes and excludes versions"))
            .help("keep one of `include` and `exclude`"));
    }
    if existing.is_empty() {
        return match include.or(exclude) {
            None => Ok(Vec::new()),
            Some(_) => Err(problem(
                test,
                format!(
                    "Unit test '{name}' should not have a versions include or exclude when referencing \
                     non-versioned model '{}'",
                    test.model
                ),
            )),
        };
    }
    let tested = |version: &Json| match (&include, &exclude) {
        (Some(include), _) => include.contains(version),
        (None, Some(exclude)) => !exclude.contains(version),
        (None, None) => true,
    };
    let chosen: Vec<Json> = existing.into_iter().filter(tested).collect();
    if chosen.is_empty() {
        let message =
            format!("Unit test '{name}' referenced a version of '{}' which was not found.", test.model);
        return Err(problem(test, message));
    }
    Ok(chosen)
}

/// Checks that unit tests of models that ask `is_incremental()` say what the answer is and give the rows that are
/// there. Whether their inputs exist, they tell when they run, as in dbt.
pub fn check(manifest: &Manifest) -> Result<()> {
    let errors = manifest.unit_tests.values().map(|test| check_incremental(manifest, test));
    Error::many(errors.filter_map(Result::err).collect()).map_or(Ok(()), Err)
}

fn check_incremental(manifest: &Manifest, test: &UnitTest) -> Result<()> {
    let tested = test.depends_on.nodes.first().and_then(|id| manifest.nodes.get(id));
    let Some(tested) = tested else { return Ok(()) };
    if !tested.depends_on.macros.iter().any(|id| &**id == "macro.dbt.is_incremental") {
        return Ok(());
    }
    let overrides = test.overrides.as_ref().and_then(|overrides| overrides.get("macros"));
    let answer = overrides.and_then(|macros| macros.get("is_incremental")?.as_bool());
    let has_this = test.given.iter().any(|given| given.input.trim() == "this");
    match answer {
        None => Err(problem(
            test,
            format!(
                "Boolean override for 'is_incremental' must be provided for unit test '{}' in model '{}'",
                test.name, tested.name
            ),
        )),
        Some(true) if !has_this => Err(problem(
            test,
            format!(
                "Unit test '{}' for incremental model '{}' must have a 'this' input",
                test.name, tested.name
            ),
        )),
        Some(_) => Ok(()),
    }
}

fn problem(test: &UnitTest, message: String) -> Error {
    Error::parsing(message).at(Location::new(&test.original_file_path, test.line, 0))
}
