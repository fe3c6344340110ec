//! Tables, views and ephemeral models, and what they become when their configuration changes.

use crate::support::Project;

const TABLE: &str = "{{ config(materialized='table') }} select 1 as x";
const VIEW: &str = "{{ config(materialized='view') }} select 2 as x";
const INCREMENTAL: &str = "{{ config(materialized='incremental') }} select 3 as x";

#[test]
fn a_model_is_a_view_unless_it_says_otherwise() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .model("b", "{{ config(materialized='table') }} select x + 1 as y from {{ ref('a') }}");
    project.run("build").success().relations(["main.a view", "main.b table"]).rows("b", ["2"]);
}

#[test]
fn a_table_is_built_anew_with_every_run() {
    let project = Project::new();
    project.model("a", TABLE).run("run").success().columns("a", "x INTEGER");
    project
        .model("a", &TABLE.replace("1 as x", "'one' as y, 2 as z"))
        .run("run")
        .success()
        .rows("a", ["one,2"]);
}

#[test]
fn kinds_replace_each_other() {
    let project = Project::new();
    let kinds = [(TABLE, "table", "1"), (VIEW, "view", "2"), (INCREMENTAL, "table", "3")];
    for (index, (from, ..)) in kinds.iter().enumerate() {
        for to in 1..3 {
            let (sql, kind, row) = kinds[(index + to) % 3];
            project.model("a", from).run("run --full-refresh").success();
            project
                .model("a", sql)
                .run("run --full-refresh")
                .success()
                .rows("a", [row])
                .relations([&format!("main.a {kind}")]);
        }
    }
}

#[test]
fn a_view_that_others_read_can_become_a_table() {
    let project = Project::new();
    project.model("a", VIEW).model("b", "select * from {{ ref('a') }}").run("run").success();
    project
        .model("a", TABLE)
        .run("run")
        .success()
        .rows("b", ["1"])
        .relations(["main.a table", "main.b view"]);
}

#[test]
fn ephemeral_models_are_parts_of_those_that_read_them() {
    let project = Project::new();
    project
        .model("inner_most", "{{ config(materialized='ephemeral') }} select 1 as x")
        .model(
            "middle",
            "{{ config(materialized='ephemeral') }} select x + 1 as x from {{ ref('inner_most') }}",
        )
        .model("outermost", "with own as (select 10 as y) select x + y as z from {{ ref('middle') }}, own");
    project.run("build").success().relations(["main.outermost view"]).rows("outermost", ["12"]);
    assert!(project.read("target/compiled/shop/models/outermost.sql").contains("__dbt__cte__inner_most"));
}

#[test]
fn a_test_reads_an_ephemeral_model() {
    let project = Project::new();
    project
        .model("e", "{{ config(materialized='ephemeral') }} select 1 as x union all select 1")
        .yaml("models: [{name: e, columns: [{name: x, data_tests: [not_null, unique]}]}]");
    project.run("build").failure().statuses(["not_null_e_x pass", "unique_e_x fail"]);
}

#[test]
fn a_model_can_be_a_macro_of_its_own() {
    let project = Project::new();
    project
        .macros(
            "
            {% materialization twice, default %}
              {% set target = this.incorporate(type='table') %}
              {% call statement('main') %}
                create or replace table {{ this }} as select * from ({{ sql }}) union all select * from ({{ sql }})
              {% endcall %}
              {% do adapter.commit() %}
              {{ return({'relations': [target]}) }}
            {% endmaterialization %}
            ",
        )
        .model("a", "{{ config(materialized='twice') }} select 1 as x");
    project.run("build").success().rows("a", ["1", "1"]);
}

#[test]
fn options_of_external_models_can_be_numbers_and_booleans() {
    let project = Project::new();
    let sql = "select range as id, range % 2 as half from range(4)";
    let external = |config: &str| format!("{{{{ config(materialized='external', {config}) }}}} {sql}");
    project
        .model(
            "a",
            &external("location='a.csv', options={'header': false, 'delimiter': ';', 'force_quote': '*'}"),
        )
        .model(
            "b",
            &external("location='b.parquet', options={'compression': 'zstd', 'row_group_size': 2048}"),
        )
        .model("c", &external("location='c', options={'partition_by': 'half', 'overwrite_or_ignore': true}"))
        .model("d", &external("location='d.json', options={'array': true}"));
    project
        .run("run")
        .success()
        .wrote("a.csv", "\"0\";\"0\"\n\"1\";\"1\"\n\"2\";\"0\"\n\"3\";\"1\"")
        .wrote(
            "d.json",
            "[\n\t{\"id\":0,\"half\":0},\n\t{\"id\":1,\"half\":1},\n\t{\"id\":2,\"half\":0},\n\t{\"id\":3,\"half\":1}\n]",
        );
    project.run("run").success();
    assert_eq!(project.files("c"), ["c/half=0/data_0.parquet", "c/half=1/data_0.parquet"]);
}

#[test]
fn files_go_to_no_plugin() {
    let project = Project::new();
    project
        .model("a", "{{ config(materialized='external', plugin='excel') }} select 1 as x")
        .model("b", "{{ config(materialized='external', glue_register=true) }} select 1 as x");
    project
        .run("run")
        .failure()
        .says("the model hands its file to the plugin excel, and rbt runs no Python")
        .says("to the plugin glue|default");
}

#[test]
fn sql_can_go_before_a_model() {
    let project = Project::new();
    project
        .model(
            "a",
            "
            {{ config(materialized='table') }}
            {% call set_sql_header(config) %} create temporary macro plus(x) as x + {{ var('n', 1) }}; {% endcall %}
            select plus(1) as x
            ",
        )
        .model("b", "{{ config(materialized='table', sql_header='set variable q = 5;') }} select getvariable('q') as x");
    project.run("run").success().rows("a", ["2"]).rows("b", ["5"]).has(
        "manifest.json",
        "/nodes/model.shop.a/config/sql_header",
        " create temporary macro plus(x) as x + 1; ".into(),
    );
}
