//! Ctrl-C and SIGTERM.

use crate::support::{Project, Run};

/// A project with a macro that says that it was reached, and gives a query that takes for ever.
fn project() -> Project {
    let project = Project::new();
    project.macros(
        "
        {% macro endless(who='it') %}
          {% if execute %}{% do run_query(\"copy (select 1) to 'reached_\" ~ who ~ \".csv'\") %}{% endif %}
          select sum(a.range * b.range) as x from range(100000000) a, range(100000000) b
        {% endmacro %}
        {% macro hang() %}{% do run_query(endless()) %}{% endmacro %}
        {% macro endless_hook() %}{{ endless() }}{% endmacro %}
        ",
    );
    project
}

/// Interrupts rbt in the middle of its endless query.
#[track_caller]
fn interrupted<'a>(project: &'a Project, line: &str, signal: &str) -> Run<'a> {
    let run = project.start(line).until("reached_it.csv").signal(signal).wait().refused();
    // A query that is rendered twice writes the file again, and may have been cut while it did.
    if project.exists("reached_it.csv") {
        project.remove("reached_it.csv");
    }
    run
}

#[test]
fn running_models_are_cut_and_the_rest_is_skipped() {
    let project = project();
    project.model("a", "{{ config(materialized='table') }} select 1 as x").run("run").success();
    for name in ["a", "b", "d"] {
        project.model(name, "{{ config(materialized='table') }} {{ endless(this.name) }}");
    }
    project.model("c", "select * from {{ ref('a') }}");
    for signal in ["INT", "TERM"] {
        let run = project.start("run").until("reached_a.csv").until("reached_b.csv").signal(signal).wait();
        project.remove("reached_a.csv").remove("reached_b.csv");
        run.refused()
            .says("Exited because of keyboard interrupt")
            .says("cut off by Ctrl-C or a signal")
            .statuses(["a error", "b error", "c skipped", "d skipped"])
            .rows("a", ["1"])
            .relations(["main.a table"]);
    }
}

#[test]
fn every_kind_of_node_is_cut() {
    let project = project();
    project
        .seed("s", "x\n1\n")
        .model("m", "{{ config(pre_hook='{{ endless_hook() }}') }} select 1 as x")
        .config("seeds: {shop: {+post-hook: '{{ endless_hook() }}'}}")
        .snapshot(
            "p",
            "{% snapshot p %}{{ config(unique_key='x', strategy='check', check_cols='all') }} {{ endless() }} {% endsnapshot %}",
        )
        .test("t", "{{ endless() }}");
    interrupted(&project, "seed", "INT").statuses(["s error"]).relations([]);
    interrupted(&project, "run", "INT").statuses(["m error"]).relations([]);
    interrupted(&project, "snapshot", "INT").statuses(["p error"]).relations([]);
    interrupted(&project, "test --select test_type:singular", "INT").statuses(["t error"]);
}

#[test]
fn hooks_of_the_run_are_cut_and_those_at_its_end_do_not_begin() {
    let project = project();
    project.model("a", "select 1 as x").config(
        "
        on-run-start: ['{{ endless_hook() }}']
        on-run-end: ['create table ended as select 1 as x']
        ",
    );
    interrupted(&project, "run", "INT")
        .says("cut off by Ctrl-C or a signal")
        .has("run_results.json", "/results/0/status", "error".into())
        .relations([]);
    project.model("a", "{{ endless() }}").file(
        "dbt_project.yml",
        &project.read("dbt_project.yml").replace("on-run-start: ['{{ endless_hook() }}']\n", ""),
    );
    project.model("a", "{{ config(materialized='table') }} {{ endless() }}");
    interrupted(&project, "run", "INT").statuses(["a error", "shop-on-run-end-0 skipped"]).relations([]);
}

#[test]
fn commands_without_nodes_are_cut_too() {
    let project = project();
    project.model("a", "select 1 as x").file(
        "models/sources.yml",
        "
        sources:
          - name: raw
            schema: main
            tables:
              - name: t
                config: {freshness: {warn_after: {count: 1, period: day}}, loaded_at_query: '{{ endless() }}'}
        ",
    );
    interrupted(&project, "run-operation hang", "INT");
    interrupted(&project, "show --inline '{{ endless() }}'", "INT");
    interrupted(&project, "source freshness", "INT");
}

#[test]
fn loops_of_templates_are_cut() {
    let endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% for k in range(99999) %}{% endfor %}{% endfor %}{% endfor %}";
    let project = project();
    project
        .model("a", "select 1 as x")
        .model("b", &format!("{{{{ endless() }}}} {{% if execute %}}{endless}{{% endif %}}"));
    interrupted(&project, "run --threads 1", "INT").statuses(["a success", "b error"]);
    // While it is parsed there is no file to wait for: what is said before it is.
    project.model("a", endless).model("b", endless);
    let run = project
        .start("run --no-partial-parse")
        .until_said("Registered adapter")
        .signal("INT")
        .wait()
        .refused();
    assert_eq!(run.text().matches("cut off by Ctrl-C").count(), 1, "{}", run.text());
}

#[test]
fn ctrl_c_twice_leaves_at_once() {
    let project = project();
    project.model("a", "{{ config(materialized='table') }} {{ endless() }}");
    project.start("run").until("reached_it.csv").signal("INT").signal("INT").wait().refused();
    assert_eq!(project.database().relations(), [""; 0]);
}
