//! Whatever goes wrong on the way, the raw files are complete and right.

use std::collections::HashMap;
use std::time::Duration;

use rbt::extract::sandbox::server::{Asked, Fault, Server};
use serde_json::{Value, json};

use super::crowd::{self, Crowd};
use super::{A_MOMENT, DAY, FAST, at_first, project, run, server};
use crate::support::{Project, Run};

/// Extracts three artists with a fault at first, and checks what was written.
fn survives(fault: Fault) -> Server {
    let crowd = Crowd(3);
    let server = server(crowd, |settings| settings.faults = at_first(fault));
    let project = project(&crowd.ids(), FAST);
    run(&project, &server, &format!("extract --date {DAY}")).success();
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), crowd.tables());
    server
}

/// How often each address was asked for.
fn attempts(server: &Server) -> HashMap<String, usize> {
    let mut attempts = HashMap::new();
    for seen in server.seen() {
        *attempts.entry(seen.target).or_default() += 1;
    }
    attempts
}

#[test]
fn without_faults_every_address_is_asked_for_once() {
    let server = survives(Fault::None);
    // A token, a batch of artists, three lists of top tracks, a batch of albums.
    assert_eq!(server.seen().len(), 6);
    assert!(attempts(&server).values().all(|count| *count == 1));
}

#[test]
fn server_errors_are_tried_again() {
    for status in [500, 502, 503, 408] {
        assert!(attempts(&survives(Fault::Status(status))).values().all(|count| *count <= 2));
    }
}

#[test]
fn a_pause_that_is_asked_for_is_kept_by_every_request() {
    let server = survives(Fault::TooMany(1));
    let seen = server.seen();
    let refused: Vec<_> = seen.iter().filter(|seen| seen.status == 429).collect();
    assert!(!refused.is_empty());
    for refusal in refused {
        // What was on its way already cannot be called back.
        let on_the_way = refusal.at + Duration::from_millis(200);
        let pause = on_the_way..refusal.at + Duration::from_secs(1);
        assert!(!seen.iter().any(|seen| pause.contains(&seen.at)), "a request in the pause");
    }
}

#[test]
fn connections_that_break_are_tried_again() {
    survives(Fault::Reset);
}

#[test]
fn bodies_that_end_too_early_are_tried_again() {
    survives(Fault::Truncated);
}

#[test]
fn what_is_not_json_is_tried_again() {
    survives(Fault::NotJson);
    survives(Fault::OtherJson);
}

#[test]
fn slow_bodies_are_waited_for_but_not_for_ever() {
    survives(Fault::Slow(A_MOMENT));
    survives(Fault::Slow(Duration::from_secs(1)));
}

#[test]
fn a_token_that_is_over_is_replaced_by_one_for_all() {
    let server = survives(Fault::Expired);
    let tokens = server.seen().iter().filter(|seen| seen.target.contains("token")).count();
    assert!((2..=6).contains(&tokens), "{tokens} tokens");
}

#[test]
fn short_tokens_are_refreshed_before_they_end() {
    let crowd = Crowd(12);
    let server = server(crowd, |settings| {
        settings.token_lifetime = Duration::from_secs(1);
        settings.latency = Duration::from_millis(60);
    });
    let project = project(&crowd.ids(), ", limits: {requests: 3, per_seconds: 0.25, concurrency: 2}");
    run(&project, &server, &format!("extract --date {DAY}")).success();
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), crowd.tables());
    assert!(server.seen().iter().all(|seen| seen.status == 200));
}

#[test]
fn accidents_of_shape_are_asked_for_again() {
    fn popularity_as_text(body: &mut Value) {
        change_all(body, "popularity", &|value| *value = json!(value.to_string()));
    }
    fn nulls(body: &mut Value) {
        for list in ["artists", "albums", "tracks"] {
            if let Some(first) = body[list].as_array_mut().and_then(|list| list.first_mut()) {
                *first = Value::Null;
            }
        }
    }
    fn no_names(body: &mut Value) {
        match body {
            Value::Object(fields) => {
                fields.remove("name");
                fields.values_mut().for_each(no_names);
            }
            Value::Array(items) => items.iter_mut().for_each(no_names),
            _ => {}
        }
    }
    for change in [popularity_as_text, nulls, no_names] {
        survives(Fault::Change(change));
    }
}

fn change_all(body: &mut Value, key: &str, change: &dyn Fn(&mut Value)) {
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == key { change(value) } else { change_all(value, key, change) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| change_all(item, key, change)),
        _ => {}
    }
}

/// Extracts with a change of every answer that stays.
fn extract_changed(project: &Project, change: fn(&mut Value)) -> Run<'_> {
    let server = server(Crowd(2), |settings| settings.faults = Box::new(move |_| Fault::Change(change)));
    run(project, &server, &format!("extract --date {DAY}"))
}

#[test]
fn a_change_of_shape_that_stays_is_taken_as_it_is_and_told() {
    let project = project(&Crowd(2).ids(), FAST);
    let change: fn(&mut Value) =
        |body| change_all(body, "duration_ms", &|value| *value = json!(value.to_string()));
    extract_changed(&project, change)
        .success()
        .says("the field tracks.duration_ms of Spotify's answers is text; it was taken as it is");
    let tables = crowd::read(&project.path().join("raw"), DAY);
    assert_eq!(tables["tracks"]["track0x1"].0["duration_ms"], "1001");
}

#[test]
fn the_limit_holds_and_is_used() {
    let crowd = Crowd(60);
    let limit = (20, Duration::from_millis(500));
    let server = server(crowd, |settings| {
        settings.limit = Some(limit);
        settings.latency = Duration::from_millis(5);
    });
    let project = project(&crowd.ids(), ", limits: {requests: 20, per_seconds: 0.5}");
    run(&project, &server, &format!("extract --date {DAY}")).success();
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.status == 200), "a request over the limit");
    assert!(seen.windows(21).all(|group| group[20].at - group[0].at > limit.1));
}

/// The next fault of a script that goes round; the token and every other attempt are left alone.
fn script(faults: Vec<Fault>) -> Box<dyn Fn(&Asked) -> Fault + Send + Sync> {
    Box::new(move |asked| match asked.number % 5 {
        0 if asked.number > 0 => faults[asked.number / 5 % faults.len()],
        _ => Fault::None,
    })
}

#[test]
fn a_fifth_of_all_requests_may_fail_in_every_way() {
    let crowd = Crowd(60);
    let faults = vec![
        Fault::Status(500),
        Fault::Reset,
        Fault::Slow(A_MOMENT),
        Fault::Truncated,
        Fault::Expired,
        Fault::NotJson,
        Fault::Change(|body| change_all(body, "popularity", &|value| *value = json!([1]))),
        Fault::TooMany(0),
        Fault::Status(503),
    ];
    let server = server(crowd, |settings| settings.faults = script(faults));
    let project = project(&crowd.ids(), FAST);
    run(&project, &server, &format!("extract --date {DAY}")).success();
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), crowd.tables());
    assert!(
        attempts(&server).values().filter(|count| **count > 10).count() <= 1,
        "only the token is asked for often"
    );
}
