//! Many models on many threads.

use crate::support::Project;

/// The profile with these threads, and more keys.
fn with(project: &Project, more: &str) {
    let profile = format!("{{type: duckdb, path: shop.duckdb, schema: main, {more}}}");
    project.file("profiles.yml", &format!("shop: {{target: dev, outputs: {{dev: {profile}}}}}"));
}

#[test]
fn any_number_of_threads_builds_the_same() {
    let project = Project::new();
    for number in 0_usize..40 {
        let kind = ["table", "view", "incremental"][number % 3];
        let parents = match number {
            0..5 => "select 1 as x".to_owned(),
            _ => format!(
                "select sum(x)::bigint + 1 as x from (select x from {{{{ ref('m{}') }}}} union all select x from {{{{ ref('m{}') }}}})",
                number - 5,
                number / 2
            ),
        };
        let config = format!("{{{{ config(materialized='{kind}', schema='s{}') }}}} ", number % 4);
        project.model(&format!("m{number}"), &(config + &parents));
    }
    let everything = (0..40).map(|number| format!("select x from main_s{}.m{number}", number % 4));
    let sum = format!("select sum(x) from ({})", everything.collect::<Vec<_>>().join(" union all "));
    with(&project, "threads: 1");
    project.run("build --full-refresh").success();
    let expected = project.database().lines(&sum);
    for threads in [2, 16] {
        project.remove("shop.duckdb");
        with(&project, &format!("threads: {threads}"));
        project.run("build").success();
        project.run("build --full-refresh").success();
        assert_eq!(project.database().lines(&sum), expected, "{threads} threads");
    }
}

#[test]
fn what_conflicts_is_tried_again_as_the_profile_says() {
    let project = Project::new();
    for number in 0..12 {
        project.model(
            &format!("m{number}"),
            "
            {{ config(materialized='table', post_hook={
                'sql': 'update counted set n = n + 1 where exists (select sum(range) from range(100000))',
                'transaction': false
            }) }}
            select 1 as x
            ",
        );
    }
    project.config("on-run-start: ['create or replace table counted as select 0 as n']");
    with(&project, "threads: 8, retries: {query_attempts: 10, retryable_exceptions: [TransactionException]}");
    project.run("run").success().rows("counted", ["12"]);
}
