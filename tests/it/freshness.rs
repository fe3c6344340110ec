//! `source freshness`.

use crate::support::Project;

/// A source whose newest row is two hours old.
fn with_source(freshness: &str, table: &str) -> Project {
    let project = Project::new();
    project.yaml(&format!(
        "
            sources:
              - name: raw
                schema: main
                config:
                  {freshness}
                tables:
                  - name: events
                    {table}
            "
    ));
    project.sql("create table events as select now() - interval 2 hour as loaded, 1 as kind");
    project
}

const LIMITS: &str =
    "freshness: {warn_after: {count: 1, period: hour}, error_after: {count: 1, period: day}}";

#[test]
fn the_age_of_the_newest_row_is_judged() {
    let project = with_source(LIMITS, "config: {loaded_at_field: loaded}");
    let run = project.run("source freshness").success().says("WARN freshness of raw.events");
    assert_eq!(run.artifact("sources.json")["results"][0]["status"], "warn");
    project.sql("update events set loaded = now() - interval 2 day");
    project.run("source freshness").failure().says("ERROR STALE freshness of raw.events");
    project.run("source freshness --exclude source:raw").success().says("Nothing to do");
}

#[test]
fn a_query_and_a_filter_may_say_which_rows_count() {
    let project = with_source(LIMITS, "config: {loaded_at_query: \"select now() from {{ this }}\"}");
    project.run("source freshness").success().says("PASS freshness of raw.events");
    let limits = LIMITS.replace("{warn_after", "{filter: kind = 2, warn_after");
    let project = with_source(&limits, "config: {loaded_at_field: loaded}");
    project.run("source freshness").failure().says("ERROR STALE");
}

#[test]
fn hooks_of_the_project_run_around_it() {
    let project = with_source(LIMITS, "config: {loaded_at_field: loaded}");
    project.config("on-run-start: \"create or replace table noted as select 1 as x\"");
    project.run("source freshness").success().rows("noted", ["1"]);
    project.sql("drop table noted");
    let without = project
        .read("dbt_project.yml")
        .replace("flags: {", "flags: {source_freshness_run_project_hooks: false, ");
    project.file("dbt_project.yml", &without);
    let run = project.run("source freshness").success().says("SourceFreshnessProjectHooksNotRun");
    run.relations(["main.events table"]);
    project.file(
        "dbt_project.yml",
        &without.replace(": false", ": true").replace("select 1 as x", "select nope"),
    );
    project.run("source freshness").failure().says("nope");
}

#[test]
fn a_source_that_cannot_be_measured_is_told_early() {
    let project = with_source(LIMITS, "description: none");
    project.run("parse").success().says("A loaded_at_field must be specified for source 'raw.events'");
    project.run("source freshness").failure().says("Could not compute freshness for source events");
    let project = with_source(LIMITS, "loaded_at_field: ''");
    project.run("parse").refused().says("loaded_at_field cannot be an empty string.");
}
