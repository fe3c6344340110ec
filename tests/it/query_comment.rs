//! `query-comment`: what goes with each statement.

use crate::support::Project;

/// The statements that DuckDB was given, as it noted them itself.
const HOOK: &str = "on-run-start: \"call enable_logging('QueryLog', storage := 'memory')\"\n\
                    on-run-end: ['select 8', create table seen as select message from duckdb_logs]\n";

fn project(config: &str) -> Project {
    let project = Project::new();
    project.config(&format!("{HOOK}{config}")).model("a", "select 7 as x");
    project
}

/// How many statements that build the model had this text in them.
const COUNT: &str =
    "select count(*) > 0 from seen where contains(message, 'select 7') and contains(message, ";

#[test]
fn names_the_node_as_dbt_does() {
    let project = project("");
    let wanted = "/* {\"app\": \"dbt\", \"dbt_version\": \"1.11.";
    let run = project.run("run").success();
    let run = run.query(&format!("{COUNT}'{wanted}')"), ["true"]);
    let wanted = "\"profile_name\": \"shop\", \"target_name\": \"dev\", \"node_id\": \"model.shop.a\"} */\n";
    run.query(&format!("{COUNT}'{wanted}')"), ["true"]).query(
        "select count(*) > 0 from seen where contains(message, '\"connection_name\": \"master\"')",
        ["true"],
    );
    assert!(project.read("logs/dbt.log").contains("On model.shop.a: /* {\"app\": \"dbt\""));
}

#[test]
fn a_text_of_the_project_can_stand_behind_the_statement_and_know_the_node() {
    let project = project(
        "query-comment: {append: true, comment: \"{{ said(connection_name, node) }} for {{ target.name }} {{ env_var('JOB') }}\"}",
    );
    project.macros(
        "{% macro said(name, node) %}{{ return(node.resource_type ~ ' ' ~ node.name ~ node.nothing ~ ' in ' ~ name if node else name) }}{% endmacro %}",
    );
    project
        .run_with("run", &[("JOB", "nightly")])
        .success()
        .query(&format!("{COUNT}'\n/* model a in model.shop.a for dev nightly */')"), ["true"])
        .query(
            "select count(*) > 0 from seen where contains(message, '/* master for dev nightly */')",
            ["true"],
        )
        .wrote("target/compiled/shop/models/a.sql", "select 7 as x");
}

#[test]
fn an_empty_comment_is_none() {
    for config in ["query-comment:", "query-comment: ''"] {
        project(config)
            .run("run")
            .success()
            .query("select count(*) from seen where contains(message, '/*')", ["0"]);
    }
}

#[test]
fn what_would_end_the_comment_is_refused() {
    let project = project("query-comment: 'x */ y'");
    project.run("parse").refused().says("query comment has a \"*/\"").says("dbt_project.yml");
}

#[test]
fn errors_count_the_lines_without_the_comment() {
    let project = project("query-comment: \"a\nb\nc\"");
    project.model("b", "select\n  nope as y\nfrom {{ ref('a') }}");
    let run = project.run("run").failure();
    run.says("it is line 2 of target/compiled/shop/models/b.sql").says("nope as y");
}
