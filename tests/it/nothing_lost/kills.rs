//! `kill -9`, at any moment.
//!
//! A project with everything that leaves something behind is built in two versions, undisturbed, and what every relation
//! holds is noted. Then builds are killed; after each, every relation must be as it was before or as it is after, and the
//! next build must come to the same end as the undisturbed one. `RBT_TEST_KILLS=200` kills more often.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::everything;
use crate::support::{Database, Project};

/// What every relation holds: its kind, its columns and a sum over its rows.
pub type State = BTreeMap<String, String>;

/// What is built, in two versions, and killed.
pub struct Subject {
    /// As it is before any build.
    pub project: Project,
    /// Writes the files that are others in a version.
    pub change_files: fn(&Project, usize),
    /// The command that builds a version.
    pub line: fn(usize) -> String,
    pub state: fn(&Project) -> State,
    /// Relations of which a part may be old and a part new.
    pub is_built_piecemeal: fn(&str) -> bool,
    /// What holds at any moment.
    pub check: fn(&Project, &str),
}

#[test]
fn a_killed_build_leaves_every_relation_whole() {
    kill_builds(Subject {
        project: everything::project(),
        change_files: everything::change_files,
        line: build_line,
        state: state_of,
        is_built_piecemeal: everything::is_built_piecemeal,
        check: |project, told| everything::check_promises(&project.database(), told),
    });
}

/// Kills builds and looks at what they leave; as often as `RBT_TEST_KILLS` says.
pub fn kill_builds(subject: Subject) {
    let kills: u32 = std::env::var("RBT_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let stages = Stages::build(subject);
    let (mut cut, mut duration) = (0, stages.duration);
    for number in 0..kills {
        // The build of the first version begins with an empty database, that of the second replaces the first.
        let version = if number % 3 == 0 { 1 } else { 2 };
        let project = stages.copy_before(version);
        let line = (stages.subject.line)(version);
        let moment = duration.mul_f64(random_fraction());
        let running = project.start(&line).until("target/run");
        let started = Instant::now();
        let killed = running.kill_after(moment);
        cut += u32::from(killed);
        if !killed {
            // The machine is faster now than it was for the undisturbed build.
            duration = duration.min(started.elapsed());
        }
        let told = format!("version {version}, killed: {killed}, {moment:?} after the first statement");
        check_artifacts(&project, &told);
        check_relations(&stages, &project, version, &told);

        project.run(&line).success();
        assert_eq!((stages.subject.state)(&project), stages.states[version], "built anew: {told}");
    }
    assert!(cut > kills / 3, "only {cut} of {kills} builds were still at work when they were to be killed");
}

/// The undisturbed builds: what they left, and how long the statements took.
struct Stages {
    subject: Subject,
    /// The project after the build of the first version, and after that of the second.
    built: [Project; 2],
    /// Before any build, and after those.
    states: [State; 3],
    duration: Duration,
}

impl Stages {
    fn build(subject: Subject) -> Self {
        let built = [Project::empty(), Project::empty()];
        let mut states = [State::new(), State::new(), State::new()];
        let mut duration = Duration::ZERO;
        for version in [1, 2] {
            let project = &built[version - 1];
            copy(if version == 1 { &subject.project } else { &built[0] }, project);
            (subject.change_files)(project, version);
            let run = project.start(&(subject.line)(version)).until("target/run");
            let started = Instant::now();
            run.wait().success();
            duration = duration.max(started.elapsed());
            states[version] = (subject.state)(project);
            project.remove("target/run");
        }
        Stages { subject, built, states, duration }
    }

    /// A copy of the project as it is before the build of a version.
    fn copy_before(&self, version: usize) -> Project {
        let project = Project::empty();
        copy(if version == 1 { &self.subject.project } else { &self.built[0] }, &project);
        (self.subject.change_files)(&project, version);
        project
    }
}

fn build_line(version: usize) -> String {
    // The five days of the microbatch model.
    let days = "--event-time-start 2024-01-01 --event-time-end 2024-01-06";
    format!("build --vars '{{v: {version}}}' {days}")
}

fn copy(from: &Project, to: &Project) {
    for path in from.files(".") {
        let target = to.path().join(&path);
        let folder = target.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).and_then(|()| fs::copy(from.path().join(&path), &target)).expect("copied");
    }
}

/// From 0 to 1.
fn random_fraction() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    bits as f64 / f64::from(u32::MAX)
}

fn check_artifacts(project: &Project, told: &str) {
    for path in project.files("target").iter().filter(|path| path.ends_with(".json")) {
        let parsed = serde_json::from_str::<serde_json::Value>(&project.read(path));
        assert!(parsed.is_ok(), "{path} is whole: {told}");
    }
}

fn check_relations(stages: &Stages, project: &Project, version: usize, told: &str) {
    let found = (stages.subject.state)(project);
    let (before, after) = (&stages.states[version - 1], &stages.states[version]);
    for (name, state) in found.iter().filter(|(name, _)| !(stages.subject.is_built_piecemeal)(name)) {
        let known = [before, after].into_iter().filter_map(|states| states.get(name));
        assert!(
            known.clone().any(|known| known == state),
            "{name} is old or new: {told}\nfound  {state}\nbefore and after {:?}",
            known.collect::<Vec<_>>()
        );
    }
    for name in before.keys() {
        assert!(found.contains_key(name), "{name} is not lost: {told}");
    }
    (stages.subject.check)(project, told);
}

fn state_of(project: &Project) -> State {
    // No database yet: nothing is opened, so that none is made.
    if !project.exists("shop.duckdb") {
        return State::new();
    }
    let database = project.database();
    let folder = project.path().display();
    // Views on external files name them from the project's folder.
    database.query(&format!("set file_search_path = '{folder}'"));
    let mut state: State = database
        .relations()
        .into_iter()
        .map(|relation| {
            let (name, kind) = relation.split_once(' ').expect("a name and a kind");
            let content = if kind == "view" { definition(&database, name) } else { content(&database, name) };
            (name.to_owned(), format!("{kind} {content}"))
        })
        .collect();
    for path in everything::external_files(project) {
        state.insert(path.clone(), content(&database, &format!("'{folder}/{path}'")));
    }
    state
}

/// What a view is made of. What it shows is as old or new as what it reads; that it can be read is asserted.
fn definition(database: &Database, view: &str) -> String {
    database.lines(&format!("select count(*) from {view}"));
    database
        .lines(&format!("select sql from duckdb_views() where schema_name || '.' || view_name = '{view}'"))
        .concat()
}

/// The columns of a relation and a sum over its rows, but for those columns that hold the time of the run.
pub fn content(database: &Database, relation: &str) -> String {
    let columns = database.columns(relation);
    let names = columns.split(", ").filter_map(|column| column.split(' ').next());
    let compared: Vec<&str> = names.filter(|name| !everything::holds_the_time(relation, name)).collect();
    let sum = format!("select count(*), sum(hash({})) from {relation}", compared.join(", "));
    format!("({columns}) {}", database.lines(&sum).concat())
}
