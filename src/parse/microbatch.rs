//! What microbatch models must configure (<https://docs.getdbt.com/docs/build/incremental-microbatch>).

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value as Json;

use super::Parser;
use crate::error::{Error, Location, Result};
use crate::events::Warning;
use crate::manifest::{Manifest, Node, Resource, ResourceType};

/// How much time a batch covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    Hour,
    Day,
    Month,
    Year,
}

/// Whether a node is built in batches.
pub fn is_microbatch(node: &Node) -> bool {
    node.resource_type == ResourceType::Model
        && node.materialized() == "incremental"
        && node.config.get_str("incremental_strategy") == Some("microbatch")
}

fn wrong(node: &Node, problem: &str) -> Error {
    Error::parsing(format!("Microbatch model '{}' {problem}", node.name))
        .at(Location::file(&node.original_file_path))
}

/// The model's `batch_size`.
///
/// # Errors
/// If it is missing or none of the four.
pub fn batch_size(node: &Node) -> Result<BatchSize> {
    match node.config.get_str("batch_size") {
        Some("hour") => Ok(BatchSize::Hour),
        Some("day") => Ok(BatchSize::Day),
        Some("month") => Ok(BatchSize::Month),
        Some("year") => Ok(BatchSize::Year),
        found => {
            let found = found.unwrap_or("None");
            let problem = format!(
                "must provide a 'batch_size' config that is one of ['hour', 'day', 'month', 'year'], but got: {found}."
            );
            Err(wrong(node, &problem))
        }
    }
}

/// The model's `begin`.
///
/// # Errors
/// If it is missing or no date.
pub fn begin(node: &Node) -> Result<NaiveDateTime> {
    match node.config.get("begin").filter(|value| !value.is_null()) {
        None => Err(wrong(
            node,
            "must provide a 'begin' (datetime) config that indicates the earliest timestamp the microbatch model \
             should be built from.",
        )),
        Some(Json::String(text)) => moment(text).ok_or_else(|| {
            let problem =
                format!("must provide a 'begin' config of valid datetime (ISO format), but got: {text}.");
            wrong(node, &problem)
        }),
        Some(other) => Err(wrong(
            node,
            &format!("must provide a 'begin' config of type datetime, but got: {}.", type_name(other)),
        )),
    }
}

/// Python's word for a value's type, as dbt's messages have it.
fn type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "<class 'NoneType'>",
        Json::Bool(_) => "<class 'bool'>",
        Json::Number(number) if number.is_f64() => "<class 'float'>",
        Json::Number(_) => "<class 'int'>",
        Json::String(_) => "<class 'str'>",
        Json::Array(_) => "<class 'list'>",
        Json::Object(_) => "<class 'dict'>",
    }
}

/// A date or a time in ISO's notation.
pub fn moment(text: &str) -> Option<NaiveDateTime> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.naive_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let with_time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    with_time.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

impl Parser<'_> {
    /// Checks the configuration of all microbatch models, and of their inputs.
    pub fn check_microbatch(&self, manifest: &Manifest) -> Result<()> {
        let mut errors = Vec::new();
        for node in manifest.nodes.values().filter(|node| is_microbatch(node)) {
            errors.extend(check(node).and_then(|()| self.check_inputs(node, manifest)).err());
        }
        Error::many(errors).map_or(Ok(()), Err)
    }

    fn check_inputs(&self, node: &Node, manifest: &Manifest) -> Result<()> {
        let mut filtered = false;
        for input in node.depends_on.nodes.iter().filter_map(|id| manifest.resource(id)) {
            let config = match input {
                Resource::Node(input) => &input.config,
                Resource::Source(source) => &source.config,
                _ => continue,
            };
            match config.get("event_time") {
                None | Some(Json::Null) => {}
                Some(Json::String(_)) => filtered = true,
                Some(other) => {
                    let (name, kind) = (input.name(), type_name(other));
                    let problem = format!(
                        "depends on an input node '{name}' with an 'event_time' config of invalid (non-string) type: {kind}."
                    );
                    return Err(wrong(node, &problem));
                }
            }
        }
        if !filtered {
            let message = format!(
                "The microbatch model '{}' has no 'ref' or 'source' input with an 'event_time' configuration. \
                 Every batch reads all rows of its inputs, so that rows may come in twice.",
                node.name
            );
            let warning = Warning::new("MicrobatchModelNoEventTimeInputs", message)
                .with("model_name", node.name.as_str());
            self.warn(warning.at(Location::file(&node.original_file_path)));
        }
        Ok(())
    }
}

fn check(node: &Node) -> Result<()> {
    match node.config.get("event_time") {
        Some(Json::String(_)) => {}
        None | Some(Json::Null) => {
            let problem = "must provide an 'event_time' (string) config that indicates the name of the event time column.";
            return Err(wrong(node, problem));
        }
        Some(other) => {
            let problem =
                format!("must provide an 'event_time' config of type string, but got: {}.", type_name(other));
            return Err(wrong(node, &problem));
        }
    }
    begin(node)?;
    batch_size(node)?;
    for (key, kind) in [("lookback", "int"), ("concurrent_batches", "bool")] {
        let value = node.config.get(key).unwrap_or(&Json::Null);
        let found = type_name(value);
        // A bool is an int in Python.
        let fits =
            value.is_null() || found == format!("<class '{kind}'>") || (kind == "int" && value.is_boolean());
        if !fits {
            let problem =
                format!("must provide the optional '{key}' config as type {kind}, but got: {found}.");
            return Err(wrong(node, &problem));
        }
    }
    Ok(())
}
