//! The reference project, day by day, against its tables worked out here from the raw files.

mod expected;

use std::fs;
use std::path::Path;

use crate::support::{Database, Project};
use expected::{Day, World};

const DAYS: [&str; 4] = ["2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05"];

/// The project and its raw files in a temporary folder.
pub fn spotify() -> Project {
    let project = Project::empty();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("project");
    let folders = ["analyses", "data", "macros", "models", "seeds", "snapshots", "tests"];
    for folder in folders.iter().filter(|folder| source.join(folder).exists()) {
        for entry in walkdir::WalkDir::new(source.join(folder)).into_iter().flatten() {
            let to =
                project.path().join(entry.path().strip_prefix(&source).expect("it is inside of the project"));
            let done = if entry.file_type().is_dir() {
                fs::create_dir_all(&to)
            } else {
                fs::copy(entry.path(), &to).map(drop)
            };
            done.expect("the project can be copied");
        }
    }
    for file in ["dbt_project.yml", "profiles.yml"] {
        fs::copy(source.join(file), project.path().join(file)).expect("the project can be copied");
    }
    project
}

fn build(project: &Project, vars: &str) {
    let file = project.path().join("music.duckdb").display().to_string();
    project.run_with(&format!("build --vars '{{{vars}}}'"), &[("SPOTIFY_DB", &file)]).success();
}

/// Every table is as it was worked out.
fn check(project: &Project, world: &World, when: &str) {
    let database = Database::open(&project.path().join("music.duckdb"));
    for (query, mut expected) in world.tables() {
        let mut rows = database.lines(query);
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "after {when}: {query}");
    }
}

/// Builds these days in this order, each twice.
fn build_in_order(days: &[&str]) -> (Project, World) {
    let project = spotify();
    let mut world = World::default();
    for date in days {
        world.add(&Day::read(&project.path().join("data/raw"), date));
        for time in ["once", "twice"] {
            build(&project, &format!("load_date: {date}"));
            check(&project, &world, &format!("{date}, {time}"));
        }
    }
    (project, world)
}

#[test]
fn days_in_order_make_the_star_and_its_history() {
    let (project, world) = build_in_order(&DAYS);
    build(&project, "");
    check(&project, &world, "the latest day");
    let database = Database::open(&project.path().join("music.duckdb"));
    let mut schemas = database.lines("select distinct schema_name from duckdb_tables() order by all");
    schemas.dedup();
    assert_eq!(schemas, ["analytics", "snapshots", "staging"]);
    assert_eq!(database.columns("analytics.dim_artist"), expected::DIM_ARTIST);
    assert_eq!(database.columns("analytics.dim_album"), expected::DIM_ALBUM);
    assert_eq!(database.columns("analytics.dim_track"), expected::DIM_TRACK);
    assert_eq!(database.columns("analytics.fact_track_popularity"), expected::FACT);
}

#[test]
fn a_day_that_is_built_late_takes_nothing_back() {
    build_in_order(&[DAYS[0], DAYS[2], DAYS[1], DAYS[3]]);
}

#[test]
fn a_raw_file_that_is_missing_is_named_and_nothing_changes() {
    let (project, world) = build_in_order(&DAYS[..1]);
    project.remove("data/raw/tracks/tracks_data_2026-01-03.csv");
    let file = project.path().join("music.duckdb").display().to_string();
    project
        .run_with(
            "build --vars '{load_date: 2026-01-03}' --exclude stg_artist+ stg_album+",
            &[("SPOTIFY_DB", &file)],
        )
        .failure()
        .says("tracks_data_2026-01-03.csv");
    check(&project, &world, "a failed build");
}
