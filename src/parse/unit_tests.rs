//! Which models unit tests are about: one model, or the versions of one
//! (<https://docs.getdbt.com/reference/resource-properties/unit-testing-versions>).

use serde_json::Value as Json;

use super::Parser;
use crate::error::{Error, Location, Result};
use crate::jinja::context::missing_node;
use crate::manifest::{Disabled, Found, Id, Lookup, Manifest, Node, UnitTest};

impl Parser<'_> {
    /// Finds the model of each unit test. A test of a model with versions becomes a test of each of them; one of a
    /// model that is switched off goes with it.
    pub fn resolve_unit_tests(&self, manifest: &mut Manifest, lookup: &Lookup, errors: &mut Vec<Error>) {
        for (id, test) in std::mem::take(&mut manifest.unit_tests) {
            let root = &self.shared.project_name;
            match lookup.resolve_ref(&test.model, None, None, root, &test.package_name) {
                Found::Enabled(model) => match tests_of_model(test, &model, manifest) {
                    Ok(tests) => {
                        let pairs = tests.into_iter().map(|test| (test.unique_id.clone(), test));
                        manifest.unit_tests.extend(pairs);
                    }
                    Err(error) => errors.push(error),
                },
                Found::Disabled(_) => {
                    let mut test = test;
                    test.config.set("enabled", Json::Bool(false));
                    manifest.disabled.entry(id).or_default().push(Disabled::UnitTest(Box::new(test)));
                }
                Found::Missing | Found::Ambiguous(_) => {
                    let error = missing_node(&test.unique_id, &test.model, false, lookup.ref_names());
                    errors.push(error.at(place_of(&test)));
                }
            }
        }
    }
}

fn place_of(test: &UnitTest) -> Location {
    Location::new(&test.original_file_path, test.line, 0)
}

/// The test itself, or one of each version of its model that it is meant for.
fn tests_of_model(mut test: UnitTest, model: &Id, manifest: &Manifest) -> Result<Vec<UnitTest>> {
    let Some(model) = manifest.nodes.get(model) else { return Ok(vec![test]) };
    let listed = |key: &str| {
        let versions = test.versions.as_ref().and_then(|versions| versions.get(key)?.as_array());
        versions.filter(|versions| !versions.is_empty())
    };
    let (include, exclude) = (listed("include"), listed("exclude"));
    if model.version().is_none() {
        if include.is_some() || exclude.is_some() {
            return Err(Error::parsing(format!(
                "Unit test '{}' should not have a versions include or exclude when referencing non-versioned model '{}'",
                test.name, model.name
            ))
            .help("take `versions:` out, or give the model versions")
            .at(place_of(&test)));
        }
        test.depends_on.add_node(&model.unique_id);
        return Ok(vec![test]);
    }
    let is_meant = |version: &Json| match (exclude, include) {
        (Some(exclude), _) => !exclude.contains(version),
        (None, Some(include)) => include.contains(version),
        (None, None) => test.versions.is_none(),
    };
    let same_model = |node: &&Node| node.name == model.name && node.package_name == model.package_name;
    let versions = manifest.nodes.values().filter(same_model);
    let meant: Vec<&Node> = versions.filter(|node| node.version().is_some_and(is_meant)).collect();
    if meant.is_empty() {
        return Err(Error::parsing(format!(
            "Unit test '{}' referenced a version of '{}' which was not found.",
            test.name, model.name
        ))
        .help("write under `versions:` one of those that the model has")
        .at(place_of(&test)));
    }
    Ok(meant.into_iter().map(|node| test_of_version(&test, node)).collect())
}

fn test_of_version(test: &UnitTest, model: &Node) -> UnitTest {
    let mut test = test.clone();
    test.version = model.version().cloned();
    test.unique_id =
        format!("unit_test.{}.{}.{}", test.package_name, test.model, test.versioned_name()).into();
    test.depends_on.add_node(&model.unique_id);
    test
}

/// A unit test of a model that asks `is_incremental()` must say what the answer is, and give the rows that are there.
pub fn check(manifest: &Manifest) -> Result<()> {
    let mut errors = Vec::new();
    for test in manifest.unit_tests.values() {
        let tested = test.depends_on.nodes.first().and_then(|id| manifest.nodes.get(id));
        let Some(tested) = tested else { continue };
        if !tested.depends_on.macros.iter().any(|id| &**id == "macro.dbt.is_incremental") {
            continue;
        }
        let overrides = test.overrides.as_ref().and_then(|overrides| overrides.get("macros"));
        let answer = overrides.and_then(|macros| macros.get("is_incremental")?.as_bool());
        let place = place_of(test);
        let has_this = test.given.iter().any(|given| given.input.trim() == "this");
        let problem = match answer {
            None => format!(
                "Boolean override for 'is_incremental' must be provided for unit test '{}' in model '{}'",
                test.name, tested.name
            ),
            Some(true) if !has_this => format!(
                "Unit test '{}' for incremental model '{}' must have a 'this' input",
                test.name, tested.name
            ),
            Some(_) => continue,
        };
        errors.push(Error::parsing(problem).at(place));
    }
    Error::many(errors).map_or(Ok(()), Err)
}
