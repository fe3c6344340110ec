//! What the semantic layer as a whole must satisfy: a time spine, and names that are used once
//! (<https://docs.getdbt.com/docs/build/metricflow-time-spine>).

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::error::{Error, Location, Result};
use crate::events::{Event, Level, Note};
use crate::manifest::{Manifest, SemanticResource};
use crate::parse::Parser;
use crate::parse::shape::GRANULARITIES;

/// The model that is a time spine by its name alone.
const LEGACY_TIME_SPINE: &str = "metricflow_time_spine";

impl Parser<'_> {
    /// Checks the semantic layer, if there is one.
    pub fn check_semantic_layer(&self, manifest: &Manifest) -> Result<()> {
        check_time_spines(manifest)?;
        if manifest.semantic_models.is_empty() {
            return Ok(());
        }
        require_time_spine(manifest)?;
        if manifest.metrics.is_empty() {
            return Ok(());
        }
        let errors = problems(manifest);
        for error in &errors {
            // The error itself is told with its place; this is for tools that wait for dbt's event.
            self.shared.events.emit(Event::Note(Note {
                name: "SemanticValidationFailure",
                code: "I070",
                level: Level::Debug,
                message: error.message().to_owned(),
                data: Map::new(),
            }));
        }
        Error::many(errors).map_or(Ok(()), |error| Err(error.help("Semantic Manifest validation failed.")))
    }
}

/// A time spine names columns that its model has.
fn check_time_spines(manifest: &Manifest) -> Result<()> {
    let mut errors = Vec::new();
    for node in manifest.nodes.values() {
        let Some(spine) = node.model.as_ref().and_then(|model| model.time_spine.as_ref()) else { continue };
        let name = |json: &Json, key: &str| json[key].as_str().map(str::to_owned);
        let standard = name(spine, "standard_granularity_column").unwrap_or_default();
        let place = Location::file(node.patch_path.as_deref().unwrap_or(&node.original_file_path));
        let fail = |what: &str, help: String| Error::parsing(what).help(help).at(place.clone());
        match node.columns.get(&standard) {
            None => errors.push(fail(
                "Time spine standard granularity column must be defined on the model.",
                format!("list '{standard}' under the `columns:` of model '{}'", node.name),
            )),
            Some(column) if column.granularity.is_none() => errors.push(fail(
                "Time spine standard granularity column must have a granularity defined.",
                format!("add `granularity: day` to the column '{standard}' of model '{}'", node.name),
            )),
            Some(_) => {}
        }
        let custom = spine["custom_granularities"].as_array().into_iter().flatten();
        let missing: Vec<String> = custom
            .filter_map(|item| name(item, "column_name").or_else(|| name(item, "name")))
            .filter(|column| !node.columns.contains_key(column))
            .collect();
        if !missing.is_empty() {
            errors.push(fail(
                "Time spine custom granularity columns do not exist in the model.",
                format!("list these columns of model '{}': {}", node.name, missing.join(", ")),
            ));
        }
    }
    Error::many(errors).map_or(Ok(()), Err)
}

fn require_time_spine(manifest: &Manifest) -> Result<()> {
    let day = GRANULARITIES.iter().position(|granularity| *granularity == "day");
    let is_fine = |granularity: &str| {
        GRANULARITIES.iter().position(|known| *known == granularity) <= day
            && GRANULARITIES.contains(&granularity)
    };
    let has_spine = manifest.nodes.values().any(|node| {
        let Some(model) = &node.model else { return false };
        let column =
            model.time_spine.as_ref().and_then(|spine| spine["standard_granularity_column"].as_str());
        let granularity = column.and_then(|column| node.columns.get(column)?.granularity.as_deref());
        node.name == LEGACY_TIME_SPINE || granularity.is_some_and(is_fine)
    });
    match has_spine {
        true => Ok(()),
        false => Err(Error::parsing(
            "The semantic layer requires a time spine model with granularity DAY or smaller in the project, but none was found.",
        )
        .help("add a model with one row a day and `time_spine:` in its properties: https://docs.getdbt.com/docs/build/metricflow-time-spine")),
    }
}

fn items<'a>(resource: &'a SemanticResource, list: &str) -> impl Iterator<Item = &'a Json> + use<'a> {
    resource.fields.get(list).and_then(Json::as_array).into_iter().flatten()
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

/// Names that stand for two things, and measures without a time.
fn problems(manifest: &Manifest) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut measures: HashMap<&str, &SemanticResource> = HashMap::new();
    for model in manifest.semantic_models.values() {
        let fail = |message: String| {
            Error::parsing(message).at(Location::new(&model.original_file_path, model.line, 0))
        };
        let mut names: HashMap<&str, &str> = HashMap::new();
        for list in ["entities", "measures", "dimensions"] {
            for item in items(model, list) {
                if let Some(first) = names.insert(text(item, "name"), list) {
                    errors.push(fail(format!(
                        "In semantic model `{}`, the name `{}` is used twice: in {first} and in {list}.",
                        model.name,
                        text(item, "name")
                    )));
                }
            }
        }
        let default =
            model.fields.get("defaults").and_then(|defaults| defaults["agg_time_dimension"].as_str());
        let is_time = |name: &str| {
            items(model, "dimensions").any(|item| text(item, "name") == name && item["type"] == "time")
        };
        for measure in items(model, "measures") {
            let name = text(measure, "name");
            if let Some(other) = measures.insert(name, model).filter(|other| other.name != model.name) {
                errors.push(fail(format!(
                    "The measure `{name}` is defined by two semantic models, `{}` and `{}`.",
                    other.name, model.name
                )));
            }
            match measure["agg_time_dimension"].as_str().or(default) {
                None => errors.push(fail(format!(
                    "Aggregation time dimension for measure {name} on semantic model {} is not set",
                    model.name
                ))),
                Some(dimension) if !is_time(dimension) => errors.push(fail(format!(
                    "In semantic model `{}`, measure `{name}` is aggregated over `{dimension}`, which is no time dimension of it.",
                    model.name
                ))),
                Some(_) => {}
            }
        }
    }
    errors
}
