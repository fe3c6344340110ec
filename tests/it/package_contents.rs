//! What packages bring along, and what a project says of it.

use serde_json::json;

use crate::support::Project;

/// A project with a package `lib` in its `dbt_packages`.
fn with_package() -> Project {
    let project = Project::new();
    project.file("dbt_packages/lib/dbt_project.yml", "name: lib\nversion: '1.0'\n");
    project
}

#[test]
fn macros_of_a_package_do_not_disturb_how_models_are_built() {
    let project = with_package();
    let own = ["create_or_replace", "clear_the_way", "drop_leftovers", "snapshot_column_names"];
    let own = own.map(|name| {
        format!("{{% macro {name}() %}}{{{{ exceptions.raise_compiler_error('taken') }}}}{{% endmacro %}}\n")
    });
    project
        .file("dbt_packages/lib/macros/macros.sql", &own.concat())
        .file("dbt_packages/lib/models/t.sql", "{{ config(materialized='table') }} select 1 as x")
        .file("dbt_packages/lib/models/i.sql", "{{ config(materialized='incremental') }} select 2 as x")
        .file(
            "dbt_packages/lib/snapshots/s.sql",
            "{% snapshot s %}{{ config(unique_key='x', strategy='check', check_cols='all') }} select * from {{ ref('t') }}{% endsnapshot %}",
        );
    project.macros(&own.concat()).model("v", "select * from {{ ref('i') }}");
    project.run("build").success().rows("t", ["1"]).rows("v", ["2"]);
    project.run("build").success().query("select x from i", ["2", "2"]).query("select x from s", ["1"]);
}

#[test]
fn an_entry_describes_the_node_of_another_package_when_its_own_has_none() {
    let project = with_package();
    project
        .file("dbt_packages/lib/seeds/own.csv", "a\n1\n")
        .file("dbt_packages/lib/models/plain.sql", "select 1 as x")
        .file("dbt_packages/lib/seeds/seeds.yml", "seeds: [{name: own, description: The package's, config: {column_types: {a: text}}}]")
        .config("seeds: {lib: {+enabled: false}}")
        .seed("own", "a\n2\n")
        .yaml("models: [{name: plain, description: The project's, columns: [{name: x, data_tests: [not_null]}]}]");
    project
        .run("build")
        .success()
        .columns("own", "a VARCHAR")
        .statuses(["not_null_plain_x pass", "own success", "plain success"])
        .has("manifest.json", "/nodes/model.lib.plain/description", json!("The project's"))
        .has("manifest.json", "/nodes/model.lib.plain/patch_path", json!("shop://models/schema.yml"))
        .has("manifest.json", "/nodes/seed.shop.own/patch_path", json!("lib://seeds/seeds.yml"))
        .has("manifest.json", "/disabled/seed.lib.own/0/patch_path", json!(null));
}

#[test]
fn an_entry_in_the_section_of_another_kind_is_told_of() {
    let project = Project::new();
    project
        .seed("a", "x\n1\n")
        .yaml("models: [{name: a, description: A seed, columns: [{name: x, data_tests: [unique]}]}]");
    project
        .run("build")
        .success()
        .says("'a' is a seed, but it is described in the 'models' section of file 'models/schema.yml'")
        .has("manifest.json", "/nodes/seed.shop.a/description", json!(""))
        .statuses(["a success", "unique_a_x pass"]);
}

#[test]
fn two_packages_must_not_describe_one_node() {
    let project = with_package();
    project
        .file("dbt_packages/lib/models/a.sql", "select 1 as x")
        .file("dbt_packages/lib/models/schema.yml", "models: [{name: a}]")
        .yaml("models: [{name: a}]");
    project
        .run("parse")
        .refused()
        .says("two schema.yml entries for the same resource named a")
        .says("lib://models/schema.yml");
}

#[test]
fn hooks_of_a_package_are_configured_as_models_are() {
    let project = with_package();
    project
        .config("models: {lib: {+schema: extra}}")
        .file("dbt_packages/lib/dbt_project.yml", "name: lib\nversion: '1.0'\non-run-start: 'select 1'\n")
        .model("a", "select 1 as x");
    project
        .run("run")
        .success()
        .has("manifest.json", "/nodes/operation.lib.lib-on-run-start-0/schema", json!("main_extra"))
        .has("manifest.json", "/nodes/operation.lib.lib-on-run-start-0/config/schema", json!("extra"));
}

#[test]
fn the_macros_that_a_macro_calls_are_noted() {
    let project = with_package();
    project
        .file(
            "dbt_packages/lib/macros/macros.sql",
            "{% macro run_query(sql) %}{{ return(dbt.run_query(sql)) }}{% endmacro %}
            {% macro again(n) %}{{ 'x' if n == 0 else lib.again(n - 1) }}{% endmacro %}",
        )
        .macros("{% macro own(name) %}{{ run_query(name.replace('a', 'b')) }}{% endmacro %}")
        .model("a", "select '{{ lib.again(2) }}' as x");
    let called = |name: &str| format!("/macros/macro.{name}/depends_on/macros");
    project
        .run("build")
        .success()
        .has("manifest.json", &called("shop.own"), json!(["macro.lib.run_query", "macro.dbt.replace"]))
        .has("manifest.json", &called("lib.again"), json!(["macro.lib.again"]));
}

#[test]
fn a_project_configures_the_hooks_of_its_packages() {
    let project = with_package();
    project
        .file(
            "dbt_packages/lib/dbt_project.yml",
            "name: lib\non-run-start: create table if not exists log as select 1 as n\nmodels: {+tags: of_lib}\n",
        )
        .file("dbt_packages/quiet/dbt_project.yml", "name: quiet\non-run-start: select * from nowhere\n")
        .config("models: {lib: {+schema: extra, +tags: of_shop}, quiet: {+enabled: false}}")
        .model("a", "select n from log");
    let hook = "/nodes/operation.lib.lib-on-run-start-0";
    project
        .run("build")
        .success()
        .rows("a", ["1"])
        .has("manifest.json", &format!("{hook}/schema"), json!("main_extra"))
        .has("manifest.json", &format!("{hook}/config/tags"), json!(["of_lib", "of_shop"]))
        .has("manifest.json", &format!("{hook}/tags"), json!(["on-run-start", "of_lib", "of_shop"]))
        .has(
            "manifest.json",
            "/disabled/operation.quiet.quiet-on-run-start-0/0/config/enabled",
            json!(false),
        );
}
