//! What things are called in the database: schemas, aliases, quoting.

use crate::support::Project;

#[test]
fn a_custom_schema_is_added_to_that_of_the_target() {
    let project = Project::new();
    project
        .model("a", "{{ config(schema='extra') }} select 1 as x")
        .model("b", "select * from {{ ref('a') }}");
    project.run("build").success().relations(["main.b view", "main_extra.a view"]).rows("b", ["1"]);
    project.run("build --target prod").success().rows("prod_extra.a", ["1"]).rows("prod.b", ["1"]);
}

#[test]
fn the_project_decides_how_schemas_are_called() {
    let project = Project::new();
    project
        .macros("{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or 'plain' }}{% endmacro %}")
        .model("a", "{{ config(schema='extra') }} select 1 as x")
        .model("b", "select 1 as x");
    project.run("build").success().relations(["extra.a view", "plain.b view"]);
}

#[test]
fn schemas_can_be_those_of_folders() {
    let project = Project::new();
    project.config("models: {shop: {raw: {+schema: raw, deep: {+schema: deep}}}}");
    project.model("raw/a", "select 1 as x").model("raw/deep/b", "select 1 as x");
    project.run("build").success().relations(["main_deep.b view", "main_raw.a view"]);
}

#[test]
fn an_alias_is_the_name_in_the_database() {
    let project = Project::new();
    project
        .model("a", "{{ config(alias='orders') }} select 1 as x")
        .model("b", "select * from {{ ref('a') }}");
    project.run("build").success().relations(["main.b view", "main.orders view"]);
}

#[test]
fn the_project_decides_how_relations_are_called() {
    let project = Project::new();
    project.macros(
        "{% macro generate_alias_name(custom_alias_name=none, node=none) %}shop_{{ custom_alias_name or node.name }}{% endmacro %}",
    );
    project.model("a", "{{ config(alias='orders') }} select 1 as x").model("b", "select 1 as x");
    project.run("build").success().relations(["main.shop_b view", "main.shop_orders view"]);
}

#[test]
fn names_with_any_characters_are_quoted() {
    let project = Project::new();
    project.model("a", "{{ config(materialized='table', alias='Select from') }} select 1 as \"The x\"");
    project.model("b", "select \"The x\" as x from {{ ref('a') }}");
    for _ in 0..2 {
        project.run("build").success().rows("b", ["1"]);
    }
}

#[test]
fn quoting_can_be_turned_off() {
    let project = Project::new();
    project.config("quoting: {database: false, schema: false, identifier: false}");
    project.model("a", "select 1 as x").model("b", "select * from {{ ref('a') }}");
    project.run("build").success().wrote("target/compiled/shop/models/b.sql", "select * from shop.main.a");
}

#[test]
fn versions_of_a_model_are_relations_of_their_own() {
    let project = Project::new();
    project.model("a_v1", "select 1 as x").model("a_v2", "select 2 as x");
    project.model("old", "select * from {{ ref('a', v=1) }}").model("new", "select * from {{ ref('a') }}");
    project.yaml("models: [{name: a, latest_version: 2, versions: [{v: 1}, {v: 2}]}]");
    project.run("build").success().rows("old", ["1"]).rows("new", ["2"]).rows("a_v1", ["1"]);
}

#[test]
fn sources_are_named_by_their_yaml() {
    let project = Project::new();
    project
        .sql("create schema raw_data; create table raw_data.t_orders as select 7 as x")
        .yaml("sources: [{name: raw, schema: raw_data, tables: [{name: orders, identifier: t_orders}]}]")
        .model("a", "{{ config(materialized='table') }} select * from {{ source('raw', 'orders') }}");
    project.run("build").success().rows("a", ["7"]);
}

#[test]
fn sources_may_be_files() {
    let project = Project::new();
    project
        .file("data/orders.csv", "x\n7\n")
        .yaml("sources: [{name: raw, config: {meta: {external_location: 'data/{name}.csv'}}, tables: [{name: orders}]}]")
        .model("a", "{{ config(materialized='table') }} select * from {{ source('raw', 'orders') }}");
    project.run("build").success().rows("a", ["7"]);
}

#[test]
fn what_differs_in_case_only_is_not_replaced() {
    let project = Project::new();
    project
        .sql("create table \"Thing\" as select 9 as x")
        .model("thing", "{{ config(materialized='table') }} select 1 as x");
    project
        .run("run")
        .failure()
        .says("an approximate match is in its place: \"shop\".\"main\".\"Thing\"")
        .rows("\"Thing\"", ["9"]);
    // Without quotes all names are one to the database.
    project.config("quoting: {identifier: false}").run("run").success().rows("thing", ["1"]);
}
