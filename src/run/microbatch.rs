//! Microbatch models: an incremental model that is built one stretch of time after another
//! (<https://docs.getdbt.com/docs/build/incremental-microbatch>).

use std::sync::Arc;

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc,
};
use serde_json::{Value as Json, json};

use crate::error::Result;
use crate::flags::{Flags, Span};
use crate::jinja::context::Batch;
use crate::manifest::Node;
use crate::parse::{BatchSize, batch_size, begin};

impl BatchSize {
    /// The moment at which the stretch that holds this moment begins.
    fn truncate(self, moment: NaiveDateTime) -> NaiveDateTime {
        let date = moment.date();
        let date = match self {
            BatchSize::Hour | BatchSize::Day => date,
            BatchSize::Month => date.with_day(1).unwrap_or(date),
            BatchSize::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1).unwrap_or(date),
        };
        let hour = if self == BatchSize::Hour { moment.hour() } else { 0 };
        date.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default())
    }

    /// The beginning of the stretch that lies so many stretches after (or before) the one that holds this moment.
    fn offset(self, moment: NaiveDateTime, count: i64) -> NaiveDateTime {
        let start = self.truncate(moment);
        let steps = count.unsigned_abs();
        let months = |each: u64| Months::new(u32::try_from(steps * each).unwrap_or(u32::MAX));
        let moved = match (self, count < 0) {
            (BatchSize::Hour, _) => {
                TimeDelta::try_hours(count).and_then(|span| start.checked_add_signed(span))
            }
            (BatchSize::Day, false) => start.checked_add_days(Days::new(steps)),
            (BatchSize::Day, true) => start.checked_sub_days(Days::new(steps)),
            (BatchSize::Month, false) => start.checked_add_months(months(1)),
            (BatchSize::Month, true) => start.checked_sub_months(months(1)),
            (BatchSize::Year, false) => start.checked_add_months(months(12)),
            (BatchSize::Year, true) => start.checked_sub_months(months(12)),
        };
        moved.unwrap_or(start)
    }

    /// The first border of stretches at or after this moment.
    fn ceiling(self, moment: NaiveDateTime) -> NaiveDateTime {
        if self.truncate(moment) == moment { moment } else { self.offset(moment, 1) }
    }

    /// How the batch that begins here is called.
    fn label(self, start: NaiveDateTime) -> String {
        let format = match self {
            BatchSize::Hour => "%Y-%m-%dT%H",
            BatchSize::Day => "%Y-%m-%d",
            BatchSize::Month => "%Y-%m",
            BatchSize::Year => "%Y",
        };
        start.format(format).to_string()
    }
}

/// The batches of a model's run, in order. `exists` says whether the run adds to a table that is there.
///
/// # Errors
/// If the model's `batch_size` or `begin` is missing or no date.
pub fn batches(node: &Node, flags: &Flags, now: DateTime<Utc>, exists: bool) -> Result<Vec<Batch>> {
    let size = batch_size(node)?;
    let sample = flags.sample.as_ref().map(|window| (window.start.naive_utc(), window.end.naive_utc()));
    let given_start = sample.map(|(start, _)| start).or(flags.event_time_start);
    let given_end = sample.map(|(_, end)| end).or(flags.event_time_end);
    let end = size.ceiling(given_end.unwrap_or_else(|| now.naive_utc()));
    let start = match given_start {
        Some(start) => size.truncate(start),
        None if exists => {
            let lookback = node.config.get("lookback").and_then(Json::as_i64).unwrap_or(1);
            // A run that ends on a border has the stretch before it as its last.
            size.offset(end, -(lookback + 1))
        }
        None => size.truncate(begin(node)?),
    };
    let mut batches = Vec::new();
    let mut from = start;
    loop {
        let to = size.offset(from, 1);
        let last = to >= end;
        batches.push(batch(size, from, if last { end } else { to }));
        if last || to <= from {
            return Ok(batches);
        }
        from = to;
    }
}

/// The batches of these stretches of time, which a retry runs again.
///
/// # Errors
/// If the model's `batch_size` is missing or unknown.
pub fn batches_of(node: &Node, spans: &[Span]) -> Result<Vec<Batch>> {
    let size = batch_size(node)?;
    Ok(spans.iter().map(|(start, end)| batch(size, start.naive_utc(), end.naive_utc())).collect())
}

fn batch(size: BatchSize, start: NaiveDateTime, end: NaiveDateTime) -> Batch {
    let label = size.label(start);
    Batch { id: label.replace('-', ""), label, start: start.and_utc(), end: end.and_utc() }
}

/// The model as one batch sees it: its own stretch of time, and hooks at the ends of the whole run only.
pub fn node_of_batch(node: &Node, batch: &Batch, first: bool, last: bool) -> Arc<Node> {
    let mut node = node.clone();
    let text = |moment: DateTime<Utc>| Json::from(moment.format("%Y-%m-%d %H:%M:%S%:z").to_string());
    node.config.set("__dbt_internal_microbatch_event_time_start", text(batch.start));
    node.config.set("__dbt_internal_microbatch_event_time_end", text(batch.end));
    if !first {
        node.config.set("pre-hook", json!([]));
    }
    if !last {
        node.config.set("post-hook", json!([]));
    }
    Arc::new(node)
}

/// `batch_results` of `run_results.json`.
pub fn batch_results(done: &[(Batch, bool)]) -> Json {
    let pairs = |wanted: bool| -> Vec<Json> {
        let text = |moment: DateTime<Utc>| moment.format("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let chosen = done.iter().filter(|(_, succeeded)| *succeeded == wanted);
        chosen.map(|(batch, _)| json!([text(batch.start), text(batch.end)])).collect()
    };
    json!({ "successful": pairs(true), "failed": pairs(false) })
}

#[cfg(test)]
mod unit {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        crate::parse::moment(text).expect("a moment")
    }

    #[test]
    fn stretches_begin_and_end_on_borders() {
        let noon = at("2024-09-17T16:06:00");
        assert_eq!(BatchSize::Hour.truncate(noon), at("2024-09-17T16:00:00"));
        assert_eq!(BatchSize::Month.offset(noon, -1), at("2024-08-01"));
        assert_eq!(BatchSize::Year.offset(noon, 1), at("2025-01-01"));
        assert_eq!(BatchSize::Day.ceiling(noon), at("2024-09-18"));
        assert_eq!(BatchSize::Day.ceiling(at("2024-09-18")), at("2024-09-18"));
        assert_eq!(BatchSize::Hour.label(noon), "2024-09-17T16");
    }
}
