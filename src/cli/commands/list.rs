//! `parse` and `list`.

use serde_json::{Map, Value as Json};

use super::{select, setup, tree};
use crate::cli::Outcome;
use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::flags::Flags;
use crate::graph::{Dag, LIST_ALL_TYPES, LIST_TYPES};
use crate::manifest::{Resource, ResourceType};

/// `rbt parse`: reads the project and writes the manifest.
pub fn parse(flags: &Flags, events: &Events) -> Result<Outcome> {
    let loaded = setup::load(flags, events)?;
    Dag::new(&loaded.parsed.manifest)?;
    Ok(Outcome::Succeeded)
}

/// `rbt list`: the selected resources, one a line.
pub fn list(flags: &Flags, events: &Events) -> Result<Outcome> {
    let conflict = if flags.models.is_empty() {
        None
    } else if !flags.select.is_empty() {
        Some("select")
    } else {
        (!flags.resource_types.is_empty()).then_some("resource_type")
    };
    if let Some(other) = conflict {
        return Err(Error::runtime(format!("\"models\" and \"{other}\" are mutually exclusive arguments"))
            .help("--models lists models only; use --select, with --resource-type if you want"));
    }
    let loaded = setup::load(flags, events)?;
    let dag = loaded.link()?;
    let only_models = [ResourceType::Model];
    let default: &[ResourceType] = if flags.models.is_empty() { LIST_TYPES } else { &only_models };
    let selected = select::select(flags, &loaded, &dag, LIST_ALL_TYPES, default)?;
    let manifest = &loaded.parsed.manifest;
    if flags.output.as_deref() == Some("tree") {
        for line in tree::lines(manifest, &selected) {
            events.emit(Event::Listed { line });
        }
        return Ok(Outcome::Succeeded);
    }
    for id in &selected {
        let Some(resource) = manifest.resource(id) else { continue };
        let line = match flags.output.as_deref().unwrap_or("selector") {
            "selector" => selector(resource),
            "name" => name(resource),
            "path" => resource.original_file_path().to_owned(),
            "json" => json(resource, &flags.output_keys)?,
            other => {
                return Err(Error::usage(format!("unknown output format '{other}'"))
                    .help("use one of: selector, name, path, json, tree"));
            }
        };
        events.emit(Event::Listed { line });
    }
    Ok(Outcome::Succeeded)
}

/// How the resource is named in `--select`.
fn selector(resource: Resource) -> String {
    match resource {
        Resource::Source(source) => {
            format!("source:{}.{}.{}", source.package_name, source.source_name, source.name)
        }
        Resource::Exposure(exposure) => format!("exposure:{}.{}", exposure.package_name, exposure.name),
        Resource::UnitTest(test) => format!("unit_test:{}.{}", test.package_name, test.versioned_name()),
        Resource::Semantic(resource) => {
            format!("{}:{}.{}", resource.resource_type, resource.package_name, resource.name)
        }
        Resource::Node(node) => node.fqn.join("."),
    }
}

/// Its name, with the version of a model that has several.
pub(super) fn name(resource: Resource) -> String {
    match resource {
        Resource::Source(source) => source.search_name(),
        Resource::Node(node) => match node.version() {
            Some(version) => format!("{}.{}", node.name, crate::manifest::version_suffix(version)),
            None => node.name.clone(),
        },
        resource => resource.name().to_owned(),
    }
}

/// The keys that `--output json` shows unless told otherwise.
const JSON_KEYS: [&str; 11] = [
    "alias",
    "name",
    "package_name",
    "depends_on",
    "tags",
    "config",
    "resource_type",
    "source_name",
    "original_file_path",
    "unique_id",
    "selector",
];

fn json(resource: Resource, keys: &[String]) -> Result<String> {
    let full = match resource {
        Resource::Node(node) => serde_json::to_value(node),
        Resource::Source(source) => serde_json::to_value(source),
        Resource::Exposure(exposure) => serde_json::to_value(exposure),
        Resource::UnitTest(test) => serde_json::to_value(test),
        Resource::Semantic(resource) => serde_json::to_value(resource),
    };
    let full = full.map_err(|error| Error::runtime(error.to_string()))?;
    let wanted: Vec<&str> = match keys.is_empty() {
        true => JSON_KEYS.to_vec(),
        false => keys.iter().flat_map(|keys| keys.split([' ', ','])).filter(|key| !key.is_empty()).collect(),
    };
    let mut shown = Map::new();
    for (key, value) in full.as_object().into_iter().flatten() {
        if wanted.contains(&key.as_str()) {
            shown.insert(key.clone(), value.clone());
        }
    }
    for key in wanted.iter().filter(|key| key.contains('.')) {
        let mut value = Some(&full);
        for part in key.split('.') {
            value = value.and_then(|value| value.get(part));
        }
        if let Some(value) = value {
            shown.insert((*key).to_owned(), value.clone());
        }
    }
    Ok(Json::Object(shown).to_string())
}
