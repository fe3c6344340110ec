//! The batches of a microbatch model: the first one alone, then all but the last, side by side where that can be, at last
//! the last one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use chrono::Utc;
use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::materialize::materialize;
use super::model::{NodeRunner, Outcome, Progress, failed, moment, outcome_of, thread_name, timed};
use super::result::Timing;
use super::{failures, microbatch};
use crate::compile::Occasion;
use crate::error::{Error, Result};
use crate::events::{Event, Level, NodeResult, Note, Position, Status};
use crate::interrupt;
use crate::jinja::context::{Batch, node_relation};
use crate::jinja::{Origin, static_mentions};
use crate::manifest::{Compiled, Node};
use crate::sql::RelationKind;
use crate::warehouse::Session;

/// A run over the batches of one model.
struct Batches<'r, 'a, 'j> {
    runner: &'r NodeRunner<'a, 'j>,
    node: &'r Node,
    progress: &'r Progress,
    batches: Vec<Batch>,
    /// Whether the first batch adds to a table that is there. The others do in any case.
    incremental: bool,
    done: Mutex<Vec<Option<BatchRun>>>,
}

/// What came of a batch.
struct BatchRun {
    succeeded: bool,
    error: Option<Error>,
    timing: Vec<Timing>,
    compiled: Option<Compiled>,
}

impl NodeRunner<'_, '_> {
    /// Builds a microbatch model. After a failure of the first batch the others are skipped, since there is no table
    /// that they could add to.
    pub fn work_batches(
        &self,
        node: &Node,
        session: &Arc<Session>,
        progress: &mut Progress,
    ) -> Result<Outcome> {
        let shared = &self.job.compiler.shared;
        let existing = session.relation(&node_relation(shared, node))?;
        let is_table = existing.as_ref().is_some_and(|relation| relation.kind == Some(RelationKind::Table));
        let full_refresh = node.config.get_bool("full_refresh").unwrap_or(shared.flags.full_refresh);
        let incremental = is_table && !full_refresh;
        let unfinished = shared.flags.unfinished.as_ref();
        let batches = match unfinished.and_then(|unfinished| unfinished.batches.get(&*node.unique_id)) {
            Some(spans) => microbatch::batches_of(node, spans)?,
            None => {
                let now = unfinished.and_then(|unfinished| unfinished.began_at);
                let now = now.unwrap_or(shared.run_started_at);
                microbatch::batches(node, &shared.flags, now, incremental)?
            }
        };
        let done = Mutex::new(batches.iter().map(|_| None).collect());
        let run = Batches { runner: self, node, progress, batches, incremental, done };
        run.all(session, existing.is_some())?;
        let (batches, done) = (run.batches, run.done.into_inner().unwrap_or_else(PoisonError::into_inner));
        let mut results = Vec::with_capacity(batches.len());
        let mut first_error = None;
        for (batch, run) in batches.into_iter().zip(done) {
            let Some(run) = run else { continue };
            results.push((batch, run.succeeded));
            first_error = first_error.or(run.error);
            progress.timing.extend(run.timing);
            progress.compiled = run.compiled.or(progress.compiled.take());
        }
        progress.batch_results = Some(microbatch::batch_results(&results));
        let (total, succeeded) = (results.len(), results.iter().filter(|(_, succeeded)| *succeeded).count());
        let (status, message) = match first_error {
            Some(error) if succeeded == 0 => return Err(error),
            None if succeeded == total => (Status::Success, "SUCCESS".to_owned()),
            _ => (Status::PartialSuccess, format!("PARTIAL SUCCESS ({succeeded}/{total})")),
        };
        Ok(Outcome { message: Some(message), failures: Some(0), ..Outcome::quiet(status) })
    }
}

impl Batches<'_, '_, '_> {
    fn all(&self, session: &Arc<Session>, exists: bool) -> Result<()> {
        let Some(last) = self.batches.len().checked_sub(1) else { return Ok(()) };
        self.one(0, false, session);
        let exists = exists || self.first_succeeded();
        if last > 1 && exists && self.may_run_side_by_side() {
            self.side_by_side(last, session)?;
        } else {
            (1..last).for_each(|index| self.one(index, false, session));
        }
        if last > 0 {
            self.one(last, false, session);
        }
        Ok(())
    }

    /// Whether the model allows it: it says so, or it does not look at the table that it is built into.
    fn may_run_side_by_side(&self) -> bool {
        let node = self.node;
        self.runner.job.compiler.shared.target.threads > 1
            && node.config.get_bool("concurrent_batches").unwrap_or_else(|| {
                let origin = Origin::file(&node.original_file_path);
                static_mentions(&node.raw_code, "this", &origin).is_ok_and(|mentions| !mentions)
            })
    }

    /// Runs the batches between the first and the last, on connections of their own. This thread waits meanwhile.
    fn side_by_side(&self, last: usize, session: &Arc<Session>) -> Result<()> {
        let job = self.runner.job;
        let shared = &job.compiler.shared;
        let workers = (shared.target.threads - 1).min(last - 1);
        let sessions = (0..workers).map(|_| job.session(&session.cache)).collect::<Result<Vec<_>>>()?;
        let next = AtomicUsize::new(1);
        let work = |session: &Arc<Session>| {
            session.tell(&shared.events, &self.node.unique_id);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= last {
                    return;
                }
                self.one(index, true, session);
            }
        };
        thread::scope(|scope| {
            for session in &sessions {
                let thread = thread::Builder::new().name(thread_name());
                // Where no thread can be had, this one does the work.
                if thread.spawn_scoped(scope, || work(session)).is_err() {
                    work(session);
                }
            }
        });
        Ok(())
    }

    fn first_succeeded(&self) -> bool {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.first().and_then(Option::as_ref).is_some_and(|first| first.succeeded)
    }

    /// Runs one batch and tells of it.
    fn one(&self, index: usize, concurrently: bool, session: &Arc<Session>) {
        let events = &self.runner.job.compiler.shared.events;
        let (batch, total) = (&self.batches[index], self.batches.len());
        let (node, position) = (&self.progress.info, Position { index: index + 1, total });
        let label = format!("batch {} of {}", batch.label, node.label);
        let how = if concurrently { "concurrently" } else { "sequentially" };
        let message = format!("{label} is being run {how}");
        events.emit(Event::Note(Note {
            name: "MicrobatchExecutionDebug",
            code: "Q044",
            level: Level::Debug,
            data: Map::from_iter([("msg".to_owned(), Json::from(message.as_str()))]),
            message,
        }));
        let mut run = BatchRun { succeeded: false, error: None, timing: Vec::new(), compiled: None };
        let skipped = (index > 0 && !self.first_succeeded()) || interrupt::asked();
        let outcome = if skipped {
            Ok(Outcome::quiet(Status::Skipped))
        } else {
            let node = node.clone();
            events.emit(Event::BatchStarted { node, position, label: label.clone() });
            self.build(index, session, &mut run)
        };
        run.succeeded = outcome.as_ref().is_ok_and(|outcome| outcome.status == Status::Success);
        let told = outcome.unwrap_or_else(|error| {
            let told = failed(&error);
            run.error = Some(error);
            told
        });
        let result = Arc::new(self.result(position, told, &run.timing));
        events.emit(Event::BatchFinished { position, label, result });
        self.done.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(run);
    }

    fn build(&self, index: usize, session: &Arc<Session>, run: &mut BatchRun) -> Result<Outcome> {
        let compiler = &self.runner.job.compiler;
        let batch = &self.batches[index];
        self.runner.comment(&self.node.unique_id, session)?;
        let last = self.batches.len() - 1;
        let mut node = microbatch::node_of_batch(self.node, batch, index == 0, index == last);
        let mut occasion = Occasion {
            event_time: Some((Some(moment(batch.start)), Some(moment(batch.end)))),
            batch: Some(batch.clone()),
            ..Occasion::default()
        };
        let compiled = timed("compile", &mut run.timing, || compiler.compile(&node, session, &occasion))?;
        run.compiled = Some(compiled.clone());
        Arc::make_mut(&mut node).compiled = Some(Box::new(compiled));
        if self.incremental || index > 0 {
            let macros = &mut occasion.overrides.macros;
            macros.insert("is_incremental".to_owned(), Value::from(true));
            macros.insert("should_full_refresh".to_owned(), Value::from(false));
        }
        let work = || {
            let context = compiler.context(&node, session, &occasion);
            materialize(&context, &node, session)
                .map(|done| outcome_of(&done))
                .map_err(|error| failures::explain(error, &node, compiler.target()))
        };
        timed("execute", &mut run.timing, work)
    }

    /// What is told of a batch.
    fn result(&self, position: Position, outcome: Outcome, timing: &[Timing]) -> NodeResult {
        NodeResult {
            node: self.progress.info.clone(),
            position: Some(position),
            status: outcome.status,
            message: outcome.message,
            failures: outcome.failures,
            failing_rows: None,
            adapter_response: outcome.adapter_response,
            execution_time: timing.last().map_or(0.0, Timing::seconds),
            started_at: Some(self.progress.started_at),
            finished_at: Some(Utc::now()),
            compiled_path: None,
            failures_relation: None,
            location: None,
            skipped_by_ephemeral: false,
        }
    }
}
