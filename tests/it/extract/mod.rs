//! Sources that fetch themselves, against a server that speaks the API and errs on demand.

mod build;
mod crowd;
mod faults;
mod refusals;
mod rest;
mod resume;
mod secrets;
mod thousand;

use std::time::Duration;

use rbt::extract::sandbox::server::{Asked, Fault, Server, Settings};

use crate::support::{Project, Run};
use crowd::Crowd;

const DAY: &str = "2026-01-02";
const ID: &str = "client-id-7f3a";
const SECRET: &str = "client-secret-c0ffee";

/// A server that knows a crowd; `change` sets how it behaves.
fn server(crowd: Crowd, change: impl FnOnce(&mut Settings)) -> Server {
    let mut settings =
        Settings { client_id: ID.to_owned(), client_secret: SECRET.to_owned(), ..Settings::default() };
    change(&mut settings);
    Server::start(Box::new(crowd), settings).expect("a free port")
}

/// A project with one source, whose artists are these, and a model that counts the tracks.
fn project(artists: &[String], extractor: &str) -> Project {
    let project = Project::new();
    let artists: Vec<String> = artists.iter().map(|artist| format!("'{artist}'")).collect();
    project
        .file(
            "models/sources.yml",
            &format!(
                "
                sources:
                  - name: music
                    config:
                      extractor: {{type: spotify, raw_path: raw, artists: [{}]{extractor}}}
                      meta: {{external_location: \"read_csv('raw/{{name}}/*.csv', header = true, all_varchar = true)\"}}
                    tables: [{{name: artists}}, {{name: tracks}}, {{name: albums}}]
                ",
                artists.join(", ")
            ),
        )
        .model("counted", "{{ config(materialized='table') }} select count(*) as tracks from {{ source('music', 'tracks') }}");
    project
}

/// As fast as the machine is, with little patience.
const FAST: &str = ", limits: {requests: 1000, per_seconds: 0.1, timeout_seconds: 2, max_wait_seconds: 5}";

/// Runs rbt on a project that asks a server.
fn run<'p>(project: &'p Project, server: &Server, line: &str) -> Run<'p> {
    project.run_with(line, &environment(&server.url()))
}

/// The environment in which rbt asks the server at an address.
fn environment(url: &str) -> [(&str, &str); 4] {
    [
        ("SPOTIFY_API_URL", url),
        ("SPOTIFY_TOKEN_URL", url),
        ("SPOTIFY_CLIENT_ID", ID),
        ("SPOTIFY_CLIENT_SECRET", SECRET),
    ]
}

/// A fault on the first attempt at every address but that of the token.
fn at_first(fault: Fault) -> Box<dyn Fn(&Asked) -> Fault + Send + Sync> {
    Box::new(move |asked| match asked.attempt == 1 && !asked.target.contains("token") {
        true => fault,
        false => Fault::None,
    })
}

const A_MOMENT: Duration = Duration::from_millis(30);
