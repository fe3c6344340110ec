//! Applications in development mode, unknown artists, wrong credentials, and waits that are too long.

use rbt::extract::sandbox::server::Fault;

use super::crowd::{self, Crowd};
use super::{DAY, FAST, project, run, server};

#[test]
fn development_mode_is_found_out_once_and_got_around() {
    let crowd = Crowd(3);
    let server = server(crowd, |settings| settings.development = true);
    let project = project(&crowd.ids(), FAST);
    run(&project, &server, &format!("build --date {DAY}"))
        .success()
        .says("this Spotify app is in development mode")
        .says("Spotify leaves out albums.popularity, artists.followers.total, artists.popularity, tracks.popularity")
        .rows("counted", ["27"]);
    let tables = crowd::read(&project.path().join("raw"), DAY);
    let ids = |table: &str| tables[table].keys().cloned().collect::<Vec<_>>();
    for (table, expected) in crowd.tables() {
        assert_eq!(ids(table), expected.keys().cloned().collect::<Vec<_>>());
    }
    assert!(tables["artists"]["artist0"].0.get("popularity").is_none());
    let refused = server.seen().iter().filter(|seen| seen.status == 403).count();
    assert_eq!(refused, 3, "one for each endpoint that is gone: artists, top tracks, albums");
}

#[test]
fn without_search_top_tracks_come_from_albums() {
    let crowd = Crowd(2);
    let server = server(crowd, |settings| {
        settings.development = true;
        settings.faults = Box::new(|asked| match asked.target.contains("search") {
            true => Fault::Status(404),
            false => Fault::None,
        });
    });
    let project = project(&crowd.ids(), ", mode: development");
    run(&project, &server, &format!("extract --date {DAY}")).success();
    let tables = crowd::read(&project.path().join("raw"), DAY);
    assert_eq!(tables["tracks"].len(), 20);
    assert_eq!(tables["tracks"]["track0x0"].1, 1);
    assert!(server.seen().iter().all(|seen| seen.status != 403), "what is known is not tried");
}

#[test]
fn extended_mode_takes_no_detours() {
    let server = server(Crowd(1), |settings| settings.development = true);
    let project = project(&Crowd(1).ids(), ", mode: extended");
    run(&project, &server, "extract").failure().says("Spotify refuses artists in batches").says("mode: auto");
}

#[test]
fn unknown_artists_are_skipped_and_told() {
    let server = server(Crowd(2), |_| {});
    let mut artists = Crowd(2).ids();
    artists.insert(0, "nobody".to_owned());
    let project = project(&artists, FAST);
    run(&project, &server, &format!("extract --date {DAY}"))
        .success()
        .says("Spotify does not know these artists, which were skipped: nobody");
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), Crowd(2).tables());
    let project = super::project(&["nobody".to_owned()], FAST);
    run(&project, &server, "extract").failure().says("the API knows none of the artists").says("nobody");
}

#[test]
fn wrong_credentials_are_refused_once() {
    let server = server(Crowd(1), |settings| settings.client_secret = "another".to_owned());
    let project = project(&Crowd(1).ids(), FAST);
    run(&project, &server, "build")
        .failure()
        .says("gives no token")
        .says("Invalid client")
        .says("SKIP relation main.counted");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn statuses_that_will_not_change_are_not_tried_again() {
    let server = server(Crowd(1), |settings| {
        settings.faults = Box::new(|asked| match asked.target.contains("/v1/") {
            true => Fault::Status(422),
            false => Fault::None,
        });
    });
    let project = project(&Crowd(1).ids(), FAST);
    run(&project, &server, "extract").failure().says("422");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_wait_of_hours_ends_the_extraction() {
    let server = server(Crowd(1), |settings| {
        settings.faults = Box::new(|asked| match asked.target.contains("/v1/") {
            true => Fault::TooMany(7 * 3600),
            false => Fault::None,
        });
    });
    let project = project(&Crowd(1).ids(), FAST);
    run(&project, &server, "extract")
        .failure()
        .says("the server asks to wait for 7 h 0 min")
        .says("max_wait_seconds");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let project = project(&Crowd(1).ids(), ", limits: {attempts: 2}");
    let gone = server(Crowd(1), |_| {}).url();
    let env = [
        ("SPOTIFY_API_URL", gone.as_str()),
        ("SPOTIFY_TOKEN_URL", gone.as_str()),
        ("SPOTIFY_CLIENT_ID", "a"),
        ("SPOTIFY_CLIENT_SECRET", "b"),
    ];
    project.run_with("extract", &env).failure().says("no connection can be made");
}

#[test]
fn configurations_that_are_wrong_are_told_at_their_place() {
    let cases = [
        (", mode: fast", "unknown variant `fast`"),
        (", entitys: [artists]", "unknown field `entitys`"),
        (", market: Spain", "`market: Spain` is no country"),
        (", limits: {requests: 0}", "`limits.requests` of the extractor cannot be used"),
        (", entities: [artists]", "does not fill a table 'tracks'"),
        (", client_secret: x", "ends up in artifacts"),
    ];
    for (extractor, message) in cases {
        let project = project(&Crowd(1).ids(), extractor);
        project.run("extract --sandbox").refused().says(message).says("models/sources.yml:");
    }
    let project = project(&[], FAST);
    project.run("extract").refused().says("the extractor has no artists");
}
