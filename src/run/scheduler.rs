//! The workers: each has its own connection and takes nodes from one queue.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::model::NodeRunner;
use super::one_scan::Scans;
use super::result::NodeRun;
use super::{Action, Job, info};
use crate::error::Result;
use crate::events::{Position, Status};
use crate::graph::Queue;
use crate::interrupt;
use crate::manifest::{Id, ResourceType};
use crate::warehouse::{RelationCache, Session};

/// What the workers share.
struct State<'a> {
    queue: Queue<'a>,
    /// Nodes that must not run, and the node on whose account.
    held_up: HashMap<Id, Cause>,
    runs: Vec<NodeRun>,
    started: usize,
    /// How many workers have not ended.
    workers: usize,
    /// Since when the nodes that run do so.
    since: HashMap<Id, Instant>,
    /// Nothing more is to be started.
    stopped: bool,
}

/// Why a node is skipped.
#[derive(Clone)]
pub enum Cause {
    /// Something that it depends on failed or was skipped.
    Upstream,
    /// An ephemeral model failed, which has no line of its own.
    Ephemeral(Id),
    /// Another node failed, and the run was to end with the first that does.
    FailFast,
    /// The run was interrupted.
    Interrupted,
}

struct Pool<'a, 'j> {
    job: &'a Job<'j>,
    state: Mutex<State<'a>>,
    /// A node has ended.
    changed: Condvar,
    /// A worker has ended.
    ended: Condvar,
    total: usize,
    scans: Scans,
}

fn lock<'l, 'a>(state: &'l Mutex<State<'a>>) -> MutexGuard<'l, State<'a>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A node that takes longer than this is helped by the database's own threads, as are all after it.
const PATIENCE: Duration = Duration::from_millis(100);

/// With fewer nodes, the database's own threads stay from the start: what they cost small nodes is then less than what a
/// large one loses until they are called.
const MANY: usize = 50;

/// Runs all selected nodes, unless the user stops it. Gives their results in the order in which they ended.
pub fn run(job: &Job, session: &Arc<Session>, cache: &Arc<RelationCache>) -> Result<Vec<NodeRun>> {
    let total = job.counted();
    let queue = match job.failures_hold_up || job.action == Action::Compile {
        true => Queue::new(job.dag, &job.selected),
        false => Queue::unordered(job.dag, &job.selected),
    };
    let shared = &job.compiler.shared;
    let workers = shared.target.threads.clamp(1, total.max(1));
    let state = State {
        queue,
        held_up: HashMap::new(),
        runs: Vec::new(),
        started: 0,
        workers,
        since: HashMap::new(),
        stopped: false,
    };
    let (state, scans) = (Mutex::new(state), Scans::plan(job));
    let pool = Pool { job, state, changed: Condvar::new(), ended: Condvar::new(), total, scans };
    let mut sessions = vec![session.clone()];
    for _ in 1..workers {
        sessions.push(job.session(cache)?);
    }
    // Before any work begins, which would have to end first.
    let alone = total >= MANY && job.action.changes() && job.warehouse.help(false).is_ok();
    thread::scope(|scope| {
        for (index, session) in sessions.iter().enumerate() {
            let pool = &pool;
            let name = format!("Thread-{} (worker)", index + 1);
            let work = move || pool.work(session);
            // Where no thread can be had, this one does the work.
            if thread::Builder::new().name(name).spawn_scoped(scope, work).is_err() {
                pool.work(session);
            }
        }
        pool.oversee(alone);
    });
    let state = pool.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(state.runs)
}

/// The results of a run that was prevented: all selected nodes, skipped.
pub fn skip_all(job: &Job) -> Vec<NodeRun> {
    let scans = Scans::default();
    let runner = NodeRunner::new(job, &scans);
    let mut queue = Queue::unordered(job.dag, &job.selected);
    let mut runs = Vec::new();
    while let Some(id) = queue.next() {
        let info = info::node_info(&job.compiler.manifest, &id);
        runs.push(runner.skipped(&id, info, None, None));
        queue.finish(&id);
    }
    runs
}

/// A worker's place in the pool, which it leaves in any case.
struct Place<'p, 'a, 'j>(&'p Pool<'a, 'j>);

impl Drop for Place<'_, '_, '_> {
    fn drop(&mut self) {
        lock(&self.0.state).workers -= 1;
        self.0.ended.notify_all();
    }
}

impl Pool<'_, '_> {
    fn work(&self, session: &Arc<Session>) {
        let _place = Place(self);
        let runner = NodeRunner::new(self.job, &self.scans);
        while let Some((id, position, cause)) = self.next() {
            let info = info::node_info(&self.job.compiler.manifest, &id);
            let run = match cause {
                Some(cause) => Some(runner.skipped(&id, info, position, Some(&cause))),
                None => runner.run(&id, info, position, session),
            };
            self.finish(&id, run);
        }
    }

    /// Waits for the workers to end. Those that work alone do so until a node takes long: threads of the database's own
    /// would be woken for each statement, which is most of the work on a small table.
    fn oversee(&self, mut alone: bool) {
        let mut state = lock(&self.state);
        while alone {
            let longest = state.since.values().map(Instant::elapsed).max().unwrap_or_default();
            if state.workers == 0 || longest >= PATIENCE {
                drop(state);
                // Where that fails, only speed is lost.
                let _ = self.job.warehouse.help(true);
                alone = false;
                state = lock(&self.state);
            } else {
                let waited = self.ended.wait_timeout(state, PATIENCE - longest);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        while state.workers > 0 {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a node that may run. `None` when there will be none.
    fn next(&self) -> Option<(Id, Option<Position>, Option<Cause>)> {
        let mut state = lock(&self.state);
        loop {
            if interrupt::asked() {
                state.stopped = true;
            }
            if state.stopped {
                return self.next_unstarted(&mut state);
            }
            if let Some(id) = state.queue.next() {
                let position = self.position(&mut state, &id);
                let cause = state.held_up.get(&id).cloned();
                state.since.insert(id.clone(), Instant::now());
                return Some((id, position, cause));
            }
            if state.queue.running() == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// After a stop, what has not begun is skipped, and told so.
    fn next_unstarted(&self, state: &mut State) -> Option<(Id, Option<Position>, Option<Cause>)> {
        let id = state.queue.next()?;
        let position = self.position(state, &id);
        let cause = if interrupt::asked() { Cause::Interrupted } else { Cause::FailFast };
        Some((id, position, Some(cause)))
    }

    fn position(&self, state: &mut State, id: &Id) -> Option<Position> {
        if self.job.is_ephemeral(id) {
            return None;
        }
        state.started += 1;
        Some(Position { index: state.started, total: self.total })
    }

    fn finish(&self, id: &Id, run: Option<NodeRun>) {
        let mut state = lock(&self.state);
        state.since.remove(id);
        if let Some(run) = run {
            if self.holds_up(&run) {
                let ephemeral = self.job.is_ephemeral(id);
                let cause = if ephemeral { Cause::Ephemeral(id.clone()) } else { Cause::Upstream };
                for descendant in self.job.dag.descendants(id, None) {
                    state.held_up.entry(descendant.clone()).or_insert_with(|| cause.clone());
                }
            }
            if run.status.is_failure() && self.job.compiler.shared.flags.fail_fast {
                state.stopped = true;
            }
            state.runs.push(run);
        }
        state.queue.finish(id);
        self.changed.notify_all();
    }

    /// Whether what came of a node keeps its descendants from running.
    fn holds_up(&self, run: &NodeRun) -> bool {
        if !self.job.failures_hold_up {
            return false;
        }
        let is_test = self.job.compiler.manifest.resource(&run.unique_id).is_some_and(|resource| {
            matches!(resource.resource_type(), ResourceType::Test | ResourceType::UnitTest)
        });
        match run.status {
            Status::Error | Status::RuntimeError | Status::PartialSuccess => {
                !is_test || self.job.tests_hold_up
            }
            Status::Fail => self.job.tests_hold_up,
            Status::Skipped => !is_test,
            _ => false,
        }
    }
}
