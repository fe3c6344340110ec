//! A source declared in YAML alone.

use super::DAY;
use crate::support::{Project, Server};

fn project(server: &Server, extractor: &str) -> Project {
    let project = Project::new();
    let url = server.url();
    project
        .file(
            "models/sources.yml",
            &format!(
                "
                sources:
                  - name: shop
                    config:
                      extractor: {{type: rest, base_url: '{url}/v2', raw_path: raw, limits: {{attempts: 2}}, {extractor}}}
                      meta: {{external_location: \"read_csv('raw/{{name}}/*.csv', header = true, all_varchar = true)\"}}
                    tables: [{{name: users}}]
                "
            ),
        )
        .model("names", "{{ config(materialized='table') }} select id, attributes ->> '$.name' as name, loaded_at from {{ source('shop', 'users') }}");
    project
}

#[test]
fn pages_become_rows() {
    let server = Server::start();
    server
        .serve(
            "/v2/users?active=true&page=1",
            200,
            r#"{"data": [{"key": 1, "name": "Ana"}, {"key": 2, "name": "Bo"}]}"#,
        )
        .serve("/v2/users?active=true&page=2", 500, "")
        .serve("/v2/users?active=true&page=2", 200, r#"{"data": [{"key": 3, "name": "Çem"}]}"#);
    let tables = "tables: {users: {path: users, params: {active: true}, records: data, id: key, \
                  paging: {page: {param: page, size: 2}}}}";
    project(&server, tables)
        .run(&format!("build --date {DAY}"))
        .success()
        .says("OK extracted shop.users")
        .rows("names", ["1,Ana,2026-01-02", "2,Bo,2026-01-02", "3,Çem,2026-01-02"]);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_key_comes_from_the_environment() {
    let server = Server::start();
    server.serve("/v2/users", 200, "[]");
    let auth = "auth: {env: SHOP_KEY, header: X-Key}, tables: {users: {path: users}}";
    let project = project(&server, auth);
    project.run("extract").refused().says("set the environment variable SHOP_KEY");
    project.run_with("extract", &[("SHOP_KEY", "s3cret")]).success().says_nothing_of("s3cret");
}

#[test]
fn what_has_no_records_is_told() {
    let server = Server::start();
    server.serve("/v2/users", 200, r#"{"users": {}}"#);
    let project = project(&server, "tables: {users: {path: users, records: users}}");
    project
        .run("extract")
        .failure()
        .says("/v2/users: no good answer in 2 attempts; the last one: the answer has no list at 'users'");
}
