//! What is fetched is kept, and files are whole, however an extraction ends.

use std::time::Instant;

use rbt::extract::sandbox::server::Fault;

use super::crowd::{self, Crowd};
use super::{A_MOMENT, DAY, FAST, environment, project, run, server};

#[test]
fn a_failed_extraction_goes_on_where_it_was() {
    let crowd = Crowd(3);
    let broken = server(crowd, |settings| {
        settings.faults = Box::new(|asked| match asked.target.contains("artist2/top-tracks") {
            true => Fault::Status(400),
            false => Fault::None,
        });
    });
    let project =
        project(&crowd.ids(), ", limits: {requests: 1000, per_seconds: 0.1, attempts: 2, concurrency: 1}");
    // The same address both times: it shapes the answers.
    let gone = server(crowd, |settings| {
        settings.faults = Box::new(|asked| match asked.target.contains("albums") && asked.attempt <= 2 {
            true => Fault::Status(500),
            false => Fault::None,
        });
    });
    run(&project, &gone, &format!("extract --date {DAY}")).failure().says("no good answer in 2 attempts");
    assert!(!project.exists("raw/artists"), "nothing is written before everything is there");
    let before = gone.seen().len();
    run(&project, &gone, &format!("extract --date {DAY}")).success();
    let asked: Vec<String> = gone.seen()[before..].iter().map(|seen| seen.target.clone()).collect();
    assert!(asked.iter().all(|target| target.contains("token") || target.contains("albums")), "{asked:?}");
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), crowd.tables());
    // An artist whose top tracks are refused has none, which is told.
    run(&project, &broken, "extract --date 2026-01-03").success().says("artist2");
}

#[test]
fn a_day_again_is_the_same_file_from_new_answers() {
    let crowd = Crowd(2);
    let server = server(crowd, |_| {});
    let project = project(&crowd.ids(), FAST);
    run(&project, &server, &format!("extract --date {DAY}")).success();
    let file = format!("raw/tracks/tracks_data_{DAY}.csv");
    let (text, asked) = (project.read(&file), server.seen().len());
    run(&project, &server, &format!("extract --date {DAY}")).success();
    assert_eq!(project.read(&file), text);
    assert_eq!(server.seen().len(), 2 * asked);
    assert_eq!(project.files("raw/.rbt"), ["raw/.rbt/lock"]);
}

#[test]
fn full_refresh_forgets_what_is_kept() {
    let crowd = Crowd(2);
    let server = server(crowd, |settings| {
        settings.faults = Box::new(|asked| match asked.target.contains("albums") && asked.attempt <= 2 {
            true => Fault::Status(500),
            false => Fault::None,
        });
    });
    let project = project(&crowd.ids(), ", limits: {attempts: 2}");
    run(&project, &server, &format!("extract --date {DAY}")).failure();
    let before = server.seen().len();
    run(&project, &server, &format!("extract --full-refresh --date {DAY}")).success();
    assert!(server.seen()[before..].iter().any(|seen| seen.target.contains("top-tracks")));
}

#[test]
fn parquet_holds_the_same() {
    let crowd = Crowd(2);
    let server = server(crowd, |_| {});
    let project = project(&crowd.ids(), ", format: parquet");
    run(&project, &server, &format!("extract --date {DAY}")).success();
    let folder = project.path().join("raw").display().to_string();
    let count = project.database().lines(&format!(
        "select count(*), min(attributes ->> '$.name'), min(custom_attributes ->> '$.rank_in_artist') \
         from '{folder}/tracks/tracks_data_{DAY}.parquet'"
    ));
    assert_eq!(count, ["18,Trâck 0,1"]);
}

#[test]
fn a_kill_at_any_moment_leaves_whole_files() {
    let (old, new) = (Crowd(5), Crowd(6));
    let line = format!("extract --full-refresh --date {DAY}");
    let project = project(&new.ids(), FAST);
    run(&project, &server(old, |_| {}), &line).success().says("skipped: artist5");
    let server = server(new, |settings| settings.latency = A_MOMENT);
    let started = Instant::now();
    run(&project, &server, "extract --date 2026-01-03").success();
    let usual = started.elapsed();
    for tenth in 1..=12 {
        let url = server.url();
        project.start_with(&line, &environment(&url)).kill_after(usual * tenth / 10);
        let files = project.files("raw");
        let seen: Vec<&String> = files.iter().filter(|file| !file.starts_with("raw/.rbt/")).collect();
        assert_eq!(seen.len(), 6, "{seen:?}");
        for (table, rows) in crowd::read(&project.path().join("raw"), DAY) {
            let whole = rows == old.tables()[table] || rows == new.tables()[table];
            assert!(whole, "{table} after {tenth} tenths");
        }
    }
    run(&project, &server, &format!("extract --date {DAY}")).success();
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), new.tables());
}
