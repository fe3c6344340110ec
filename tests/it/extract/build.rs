//! Extractors in the graph.

use super::crowd::Crowd;
use super::{DAY, FAST, project, run, server};
use crate::spotify::spotify;

#[test]
fn a_build_extracts_before_the_models_that_read() {
    let crowd = Crowd(2);
    let server = server(crowd, |_| {});
    let project = project(&crowd.ids(), FAST);
    run(&project, &server, &format!("build --date {DAY}"))
        .success()
        .says("1 of 4 START extraction of music.artists")
        .says("3 sources, 1 table model")
        .rows("counted", ["18"])
        .statuses([
            "counted success",
            "music.albums success",
            "music.artists success",
            "music.tracks success",
        ]);
}

#[test]
fn selection_and_flags_leave_extraction_out() {
    let crowd = Crowd(2);
    let server = server(crowd, |_| {});
    let project = project(&crowd.ids(), FAST);
    run(&project, &server, &format!("build --select +counted --date {DAY}"))
        .success()
        .rows("counted", ["18"]);
    let asked = server.seen().len();
    for line in [
        "build --no-extract",
        "build --select counted",
        "build --exclude source:music",
        "build --resource-type model",
        "run",
        "test",
        "compile",
        "ls",
    ] {
        run(&project, &server, line).success();
        assert_eq!(server.seen().len(), asked, "{line}");
    }
    run(&project, &server, "extract --select source:other").success().says("Nothing to do");
    run(&project, &server, "extract --select source:music.albums --date 2026-01-09").success().statuses([
        "music.albums success",
        "music.artists success",
        "music.tracks success",
    ]);
}

#[test]
fn without_credentials_a_build_goes_on_with_what_is_there() {
    let crowd = Crowd(2);
    let server = server(crowd, |_| {});
    let project = project(&crowd.ids(), FAST);
    run(&project, &server, &format!("extract --date {DAY}")).success();
    project
        .run("build")
        .success()
        .says("The source music is not extracted: there are no credentials; set the environment variables SPOTIFY_CLIENT_ID")
        .rows("counted", ["18"])
        .statuses(["counted success"]);
    project.run("extract").refused().says("SPOTIFY_CLIENT_ID").says("SPOTIFY_CLIENT_SECRET");
}

#[test]
fn a_failed_extraction_holds_up_what_reads_it_and_nothing_else() {
    let server = server(Crowd(1), |settings| settings.client_secret = "another".to_owned());
    let project = project(&Crowd(1).ids(), FAST);
    project.model("free", "select 1 as x");
    run(&project, &server, "build").failure().statuses([
        "counted skipped",
        "free success",
        "music.albums skipped",
        "music.artists error",
        "music.tracks skipped",
    ]);
    run(&project, &super::server(Crowd(1), |_| {}), "retry").success().rows("counted", ["9"]);
}

#[test]
fn the_manifest_has_the_source_and_its_extractor() {
    let project = project(&Crowd(1).ids(), FAST);
    project.run("parse").success().has(
        "manifest.json",
        "/sources/source.shop.music.tracks/config/extractor/type",
        "spotify".into(),
    );
    project.run("ls --quiet --resource-type source --output name").success().lists([
        "music.albums",
        "music.artists",
        "music.tracks",
    ]);
    project
        .run("ls --quiet --select config.extractor.type:spotify --resource-type source --output name")
        .success()
        .lists(["music.albums", "music.artists", "music.tracks"]);
}

#[test]
fn artists_may_be_in_a_seed_or_a_file() {
    let crowd = Crowd(3);
    let server = server(crowd, |_| {});
    let project = project(&[], FAST);
    project
        .seed("people", "artist_name,artist_id\nOne,artist0\nTwo,artist1\n")
        .file("people.yml", "artists:\n  - artist0\n  - {name: Two, id: 'spotify:artist:artist1'}\n");
    let sources = project.read("models/sources.yml");
    for list in ["{seed: people}", "{file: people.yml}", "{file: seeds/people.csv}"] {
        project.file("models/sources.yml", &sources.replace("artists: []", &format!("artists: {list}")));
        let folder = project.path().join("raw");
        run(&project, &server, &format!("extract --date {DAY}")).success();
        let artists: Vec<String> = super::crowd::read(&folder, DAY)["artists"].keys().cloned().collect();
        assert_eq!(artists, ["artist0", "artist1"], "{list}");
    }
}

#[test]
fn the_reference_project_builds_days_from_the_sandbox() {
    let project = spotify();
    let file = project.path().join("music.duckdb").display().to_string();
    let env = [("SPOTIFY_DB", file.as_str())];
    let read = |project: &crate::support::Project, day: &str| {
        project.read(&format!("data/raw/tracks/tracks_data_{day}.csv"))
    };
    let sample = read(&project, "2026-01-05");
    for day in ["2026-01-05", "2026-01-06", "2026-01-07"] {
        project
            .run_with(&format!("build --sandbox --date {day}"), &env)
            .success()
            .says("OK extracted raw.artists");
    }
    assert_eq!(read(&project, "2026-01-05"), sample, "the sandbox is the world of the sample");
    let database = crate::support::Database::open(&project.path().join("music.duckdb"));
    let days = database.lines("select distinct loaded_at from analytics.fact_track_popularity order by all");
    assert_eq!(days, ["2026-01-05", "2026-01-06", "2026-01-07"]);
    assert!(database.lines("select * from snapshots.dim_artist_snapshot").len() > 5, "there is history");
}
