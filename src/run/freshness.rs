//! How old the data of sources is (<https://docs.getdbt.com/docs/build/sources#source-data-freshness>).

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::info;
use super::model::{failed, response_fields, thread_name, timed};
use super::result::Timing;
use crate::compile::{Compiler, Occasion};
use crate::error::{Error, Location, Result};
use crate::events::{Event, NodeResult, Position, Status, Warning};
use crate::jinja::Origin;
use crate::jinja::context::{StatementResult, TableObject, source_relation};
use crate::manifest::{Id, Resource, Source};
use crate::warehouse::{Cell, Session};

/// One source's result.
#[derive(Debug)]
pub struct FreshnessRun {
    pub unique_id: Id,
    pub status: Status,
    /// `None` if it could not be measured.
    pub measured: Option<Measured>,
    /// Why it could not be measured.
    pub message: Option<String>,
    /// `freshness` of the source.
    pub criteria: Json,
    pub adapter_response: Map<String, Json>,
    pub timing: Vec<Timing>,
    pub thread_id: String,
    /// In seconds.
    pub execution_time: f64,
}

/// When a source was loaded, as seen at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub max_loaded_at: DateTime<Utc>,
    pub snapshotted_at: DateTime<Utc>,
}

impl Measured {
    /// How old the newest data is, in seconds.
    pub fn age(&self) -> f64 {
        (self.snapshotted_at - self.max_loaded_at).as_seconds_f64()
    }
}

/// The seconds of `warn_after` or `error_after`.
fn threshold(freshness: &Json, key: &str) -> Option<f64> {
    let limit = freshness.get(key)?;
    let count = limit.get("count")?.as_f64()?;
    let unit = match limit.get("period")?.as_str()? {
        "minute" => 60.0,
        "hour" => 3600.0,
        _ => 86400.0,
    };
    Some(count * unit)
}

fn judge(freshness: &Json, age: f64) -> Status {
    let exceeds = |key: &str| threshold(freshness, key).is_some_and(|limit| age > limit);
    if exceeds("error_after") {
        Status::Error
    } else if exceeds("warn_after") {
        Status::Warn
    } else {
        Status::Pass
    }
}

/// Measures a source, and tells what came of it.
pub fn measure(
    compiler: &Arc<Compiler>,
    source: &Source,
    position: Position,
    session: &Arc<Session>,
) -> FreshnessRun {
    let events = &compiler.shared.events;
    let mut node = info::node_info(&compiler.manifest, &source.unique_id);
    // It is measured, and not extracted.
    Arc::make_mut(&mut node).materialized.clear();
    let (clock, started_at) = (Instant::now(), Utc::now());
    events.emit(Event::NodeStarted { node: node.clone(), position: Some(position) });
    let mut timing = Vec::new();
    // There is nothing to compile, but readers of artifacts look for both steps.
    timed("compile", &mut timing, || Ok(())).ok();
    let done = timed("execute", &mut timing, || {
        let resource = Some(Resource::Source(source));
        session.comment(compiler.shared.query_comment(&source.unique_id, resource)?);
        ask(compiler, source, session)
    });
    let criteria = source.fields.freshness.clone().unwrap_or_default();
    let location = done.as_ref().err().and_then(|error| error.location().cloned());
    let (measured, status, message, adapter_response) = match done {
        Ok((measured, response)) => (Some(measured), judge(&criteria, measured.age()), None, response),
        Err(error) => (None, Status::RuntimeError, failed(&error).message, Map::new()),
    };
    let execution_time = clock.elapsed().as_secs_f64();
    events.emit(Event::NodeFinished(Arc::new(NodeResult {
        node,
        position: Some(position),
        status,
        message: message.clone(),
        failures: None,
        adapter_response: adapter_response.clone(),
        execution_time,
        started_at: Some(started_at),
        finished_at: Some(Utc::now()),
        compiled_path: None,
        failures_relation: None,
        location,
        skipped_by_ephemeral: false,
        failing_rows: None,
    })));
    FreshnessRun {
        unique_id: source.unique_id.clone(),
        status,
        measured,
        message,
        criteria,
        adapter_response,
        timing,
        thread_id: thread_name(),
        execution_time,
    }
}

/// Asks the warehouse with the macro that suits what the source configures.
fn ask(
    compiler: &Arc<Compiler>,
    source: &Source,
    session: &Arc<Session>,
) -> Result<(Measured, Map<String, Json>)> {
    let place = Location::new(&source.original_file_path, source.line, 0);
    let relation = source_relation(source)?;
    let mut occasion = Occasion { any_ref: true, ..Occasion::default() };
    occasion.values.insert("this".to_owned(), relation.clone().into());
    let context = compiler.source_context(source, session, &occasion);
    let fields = &source.fields;
    let answer = if let Some(query) = &fields.loaded_at_query {
        let query = context.render(query, &Origin::at(&source.original_file_path, source.line.max(1), 1))?;
        context.call_macro("collect_freshness_custom_sql", &[relation.into(), Value::from(query)])
    } else if let Some(field) = &fields.loaded_at_field {
        let filter =
            fields.freshness.as_ref().and_then(|freshness| freshness.get("filter")).and_then(Json::as_str);
        let filter = filter.map_or(Value::from(()), Value::from);
        context.call_macro("collect_freshness", &[relation.into(), Value::from(field.as_str()), filter])
    } else {
        return Err(Error::runtime(format!(
            "Could not compute freshness for source {}: no 'loaded_at_field' provided and duckdb adapter does not \
             support metadata-based freshness checks.",
            source.name
        ))
        .at(place));
    };
    let answer = answer.map_err(|error| error.at(place.clone()));
    let undone = session.rollback();
    let answer = answer?;
    undone?;
    let result = StatementResult::from_value(&answer);
    if result.is_none() {
        let message = "The 'collect_freshness' macro signature has changed to return the full query result, rather than \
                       just a table: let it return load_result('…') without `.table`.";
        compiler.shared.events.warn(Warning::new("CollectFreshnessReturnSignature", message))?;
    }
    let response = result.as_ref().map(|result| response_fields(&result.response)).unwrap_or_default();
    let table = result.map(|result| result.table).or_else(|| TableObject::from_value(&answer).cloned());
    let cells = table.as_ref().and_then(|table| table.table().rows.first()).filter(|row| row.len() == 2);
    let Some([loaded, now]) = cells.map(Vec::as_slice) else {
        return Err(Error::compilation(format!(
            "Got an invalid result from \"collect_freshness\" for the source {}",
            source.search_name()
        ))
        .at(place)
        .help("it must give one row with two timestamps: max_loaded_at and snapshotted_at"));
    };
    let moment = |cell: &Cell| moment(cell, source).map_err(|error| error.at(place.clone()));
    Ok((Measured { max_loaded_at: moment(loaded)?, snapshotted_at: moment(now)? }, response))
}

/// A timestamp as a moment; without a time zone it is UTC. An empty table was loaded at the beginning of time.
fn moment(cell: &Cell, source: &Source) -> Result<DateTime<Utc>> {
    match cell {
        Cell::Null => Ok(chrono::NaiveDate::from_ymd_opt(1, 1, 1)
            .unwrap_or_default()
            .and_time(Default::default())
            .and_utc()),
        Cell::Timestamp(local) => Ok(local.and_utc()),
        Cell::TimestampTz(moment) => Ok(moment.with_timezone(&Utc)),
        other => {
            let field = source.fields.loaded_at_field.as_deref().unwrap_or("loaded_at_query");
            Err(Error::compilation(format!(
                "Expected a timestamp value when querying field '{field}' of table {} but received '{other}' instead",
                source.relation_name
            ))
            .help("cast it, for example  loaded_at_field: \"loaded_at::timestamp\""))
        }
    }
}
