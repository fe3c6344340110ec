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
type State = BTreeMap<String, String>;

#[test]
fn a_killed_build_leaves_every_relation_whole() {
    let kills: u32 = std::env::var("RBT_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let stages = Stages::build();
    let mut cut = 0;
    for number in 0..kills {
        // The build of the first version begins with an empty database, that of the second replaces the first.
        let version = if number % 3 == 0 { 1 } else { 2 };
        let project = stages.copy_before(version);
        let moment = stages.duration.mul_f64(random_fraction());
        let killed = project.start(&build_line(version)).until("target/run").kill_after(moment);
        cut += u32::from(killed);
        let told = format!("version {version}, killed: {killed}, {moment:?} after the first statement");
        check_artifacts(&project, &told);
        check_relations(&stages, &project, version, &told);

        project.run(&build_line(version)).success();
        assert_eq!(state_of(&project), stages.states[version], "built anew: {told}");
    }
    assert!(cut > kills / 3, "only {cut} of {kills} builds were still at work when they were to be killed");
}

/// The undisturbed builds: what they left, and how long the statements took.
struct Stages {
    /// The project before any build, after that of the first version, and after that of the second.
    projects: [Project; 3],
    states: [State; 3],
    duration: Duration,
}

impl Stages {
    fn build() -> Self {
        let projects = [everything::project(), Project::empty(), Project::empty()];
        let mut states = [State::new(), State::new(), State::new()];
        let mut duration = Duration::ZERO;
        for version in [1, 2] {
            copy(&projects[version - 1], &projects[version]);
            everything::change_files(&projects[version], version);
            let run = projects[version].start(&build_line(version)).until("target/run");
            let started = Instant::now();
            run.wait().success();
            duration = duration.max(started.elapsed());
            states[version] = state_of(&projects[version]);
            projects[version].remove("target/run");
        }
        Stages { projects, states, duration }
    }

    /// A copy of the project as it is before the build of a version.
    fn copy_before(&self, version: usize) -> Project {
        let project = Project::empty();
        copy(&self.projects[version - 1], &project);
        everything::change_files(&project, version);
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
    let found = state_of(project);
    let (before, after) = (&stages.states[version - 1], &stages.states[version]);
    for (name, state) in found.iter().filter(|(name, _)| !everything::is_built_piecemeal(name)) {
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
    let database = project.database();
    everything::check_promises(&database, told);
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
fn content(database: &Database, relation: &str) -> String {
    let columns = database.columns(relation);
    let names = columns.split(", ").filter_map(|column| column.split(' ').next());
    let compared: Vec<&str> = names.filter(|name| !everything::holds_the_time(relation, name)).collect();
    let sum = format!("select count(*), sum(hash({})) from {relation}", compared.join(", "));
    format!("({columns}) {}", database.lines(&sum).concat())
}
