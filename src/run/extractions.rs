//! Sources that fetch themselves: nodes that run before what reads them.
//!
//! The tables of an extraction are fetched together, by the first of them that comes up; the others wait for it in the
//! graph and tell what it did for them. So no model reads a day of which a table is still missing.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::model::Outcome;
use crate::error::{Error, Result};
use crate::events::{Event, Events, NodeInfo, Progress, Status, Warning, plural};
use crate::extract::{Extracted, Extraction, Request};
use crate::graph::Dag;
use crate::manifest::{Id, Source};
use crate::warehouse::{Fetch, Session};

/// The extractions of a run.
#[derive(Default)]
pub struct Extractions {
    day: NaiveDate,
    /// Whether to ask for what is kept of an extraction that failed before, too.
    anew: bool,
    all: Vec<Planned>,
    of_table: IndexMap<Id, usize>,
}

struct Planned {
    extraction: Extraction,
    /// What came of it, once it is done.
    done: OnceLock<Result<Extracted>>,
}

/// The least time between two reports of progress.
const PACE: Duration = Duration::from_millis(100);

impl Extractions {
    /// Extractions of a day.
    pub fn new(day: NaiveDate, anew: bool, all: Vec<Extraction>) -> Self {
        let tables = all.iter().enumerate();
        let of_table = tables
            .flat_map(|(index, extraction)| extraction.tables.keys().map(move |id| (id.clone(), index)));
        let of_table = of_table.collect();
        let planned = |extraction| Planned { extraction, done: OnceLock::new() };
        Extractions { day, anew, all: all.into_iter().map(planned).collect(), of_table }
    }

    /// The nodes of all their tables.
    pub fn tables(&self) -> impl Iterator<Item = &Id> {
        self.of_table.keys()
    }

    /// Lets the first table of each extraction come before the others.
    pub fn order(&self, dag: &mut Dag) {
        for planned in &self.all {
            let mut tables = planned.extraction.tables.keys();
            let Some(first) = tables.next() else { continue };
            tables.for_each(|table| dag.put_before(first, table));
        }
    }

    /// Extracts the table of a source, or tells what was extracted for it. `None` if nothing fills it.
    pub fn run(
        &self,
        source: &Source,
        node: &Arc<NodeInfo>,
        events: &Events,
        session: &Session,
    ) -> Option<Result<Outcome>> {
        let planned = &self.all[*self.of_table.get(&source.unique_id)?];
        let done = planned.done.get_or_init(|| {
            let done = self.extract(&planned.extraction, node, events, session)?;
            for warning in &done.warnings {
                events.warn(Warning::new(
                    "SourceExtraction",
                    format!("{}: {warning}", planned.extraction.source),
                ))?;
            }
            Ok(done)
        });
        Some(done.as_ref().map(|done| outcome(done, &source.name)).map_err(Error::clone))
    }

    fn extract(
        &self,
        extraction: &Extraction,
        node: &Arc<NodeInfo>,
        events: &Events,
        session: &Session,
    ) -> Result<Extracted> {
        let tables: Vec<String> = extraction.tables.values().cloned().collect();
        let told: Mutex<Option<Instant>> = Mutex::default();
        let progress = |progress: Progress| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            let is_end = progress.done == progress.total;
            if is_end || progress.trouble.is_some() || told.is_none_or(|last| last.elapsed() > PACE) {
                *told = Some(Instant::now());
                events.emit(Event::NodeProgress { node: node.clone(), progress });
            }
        };
        let sql = |sql: &str| session.execute(sql, false, Fetch::None).map(drop);
        let request =
            Request { day: self.day, anew: self.anew, tables: &tables, progress: &progress, sql: &sql };
        extraction.extractor.extract(&request)
    }
}

fn outcome(done: &Extracted, table: &str) -> Outcome {
    let mut fields = Map::new();
    let mut message = "OK".to_owned();
    if let Some(written) = done.tables.get(table) {
        message = plural(written.rows, "row");
        fields.insert("rows_affected".to_owned(), json!(written.rows));
        fields.insert("file".to_owned(), json!(written.path.display().to_string()));
        fields.insert("requests".to_owned(), json!(done.requests));
        fields.insert("resumed_answers".to_owned(), json!(done.resumed));
    }
    fields.shift_insert(0, "_message".to_owned(), Json::from(message.as_str()));
    Outcome { message: Some(message), adapter_response: fields, ..Outcome::quiet(Status::Success) }
}
