//! What goes wrong is told once, with the place and what to do, ends with the right code, and leaves the database as
//! it was. The texts are beside, in `texts/`.

use crate::support::{Project, Run};

/// A project that was built once: `kept` is a table, `view` reads it.
fn built() -> Project {
    let project = Project::new();
    project
        .model("kept", "{{ config(materialized='table') }} select 1 as x")
        .model("view", "select * from {{ ref('kept') }}");
    project.run("build").success();
    project
}

/// The database is as [`built`] left it, with nothing half-built beside.
#[track_caller]
fn unchanged<'a>(run: Run<'a>) -> Run<'a> {
    run.rows("kept", ["1"]).rows("view", ["1"]).relations(["main.kept table", "main.view view"])
}

/// What was printed is what the file `texts/<name>.snap` holds.
#[track_caller]
fn told(name: &str, run: &Run) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("texts");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, run.told()));
}

#[test]
fn sql_that_the_database_refuses() {
    let project = built();
    project.model("kept", "{{ config(materialized='table') }}\nselect 1 as x,\n  no_such_column as y");
    told("sql_that_the_database_refuses", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn sql_that_fails_while_it_runs() {
    let project = built();
    project.model("kept", "{{ config(materialized='table') }} select cast(v as integer) as x from (values ('1'), ('one')) as t (v)");
    told("sql_that_fails_while_it_runs", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn sql_that_is_no_sql() {
    let project = built();
    project.model("kept", "{{ config(materialized='table') }}\nselct 1 as x");
    told("sql_that_is_no_sql", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn a_view_that_cannot_be_made() {
    let project = built();
    project.model("view", "select no_such_column from {{ ref('kept') }}");
    told("a_view_that_cannot_be_made", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn a_post_hook_that_fails_undoes_the_table() {
    let project = built();
    project.model(
        "kept",
        "{{ config(materialized='table', post_hook='select * from no_such_table') }} select 2 as x",
    );
    told("a_post_hook_that_fails_undoes_the_table", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn an_unknown_ref() {
    let project = built();
    project.model("kept", "select 1 as x\nunion all\nselect x from {{ ref('keptt') }}");
    told("an_unknown_ref", &unchanged(project.run("build").refused()));
}

#[test]
fn a_ref_to_a_disabled_model() {
    let project = built();
    project
        .model("off", "{{ config(enabled=false) }} select 1")
        .model("kept", "select * from {{ ref('off') }}");
    told("a_ref_to_a_disabled_model", &unchanged(project.run("build").refused()));
}

#[test]
fn an_unknown_source() {
    let project = built();
    project.yaml("sources: [{name: raw, tables: [{name: orders}]}]");
    project.model("kept", "select *\nfrom {{ source('raw', 'order') }}");
    told("an_unknown_source", &unchanged(project.run("build").refused()));
}

#[test]
fn a_cycle() {
    let project = built();
    project.model("kept", "select *\nfrom {{ ref('view') }}");
    told("a_cycle", &unchanged(project.run("build").refused()));
}

#[test]
fn two_models_of_one_name() {
    let project = built();
    project.model("other/kept", "select 1");
    told("two_models_of_one_name", &unchanged(project.run("build").refused()));
}

#[test]
fn two_models_for_one_table() {
    let project = built();
    project.model("other", "{{ config(alias='kept') }} select 1");
    told("two_models_for_one_table", &unchanged(project.run("build").refused()));
}

#[test]
fn yaml_that_is_no_yaml() {
    let project = built();
    project.yaml("models:\n  - name: kept\n    columns: [{name: x\n  - name: view\n");
    told("yaml_that_is_no_yaml", &unchanged(project.run("build").refused()));
}

#[test]
fn yaml_of_another_shape() {
    let project = built();
    project.yaml("models:\n  - name: kept\n    columns:\n      x: the number\n");
    told("yaml_of_another_shape", &unchanged(project.run("build").refused()));
}

#[test]
fn an_unknown_generic_test() {
    let project = built();
    project.yaml("models: [{name: kept, columns: [{name: x, data_tests: [not_nul]}]}]");
    told("an_unknown_generic_test", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn a_missing_csv_file() {
    let project = built();
    project.model(
        "kept",
        "{{ config(materialized='table') }}\nselect * from read_csv('data/orders_2026-01-02.csv')",
    );
    let run = unchanged(project.run("build --threads 1").failure().says("data/orders_2026-01-02.csv"));
    told("a_missing_csv_file", &run);
}

#[test]
fn an_undefined_macro() {
    let project = built();
    project.macros("{% macro cents(column) %}{{ column }} / 100{% endmacro %}");
    project.model("kept", "select\n  {{ cent('x') }} as x");
    told("an_undefined_macro", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn a_macro_that_its_package_does_not_have() {
    let project = built();
    project.file("dbt_packages/money/dbt_project.yml", "name: money\nversion: '1.0'");
    project.file(
        "dbt_packages/money/macros/cents.sql",
        "{% macro cents(column) %}{{ column }} / 100{% endmacro %}",
    );
    project.file("packages.yml", "packages: [{local: dbt_packages/money}]");
    project.model("kept", "select\n  {{ money.cent('x') }} as x");
    told("a_macro_that_its_package_does_not_have", &unchanged(project.run("build --threads 1").failure()));
    project.model("kept", "select {{ money.get('cent', 1) }} as x, {{ money.get('cents')('2') }} as y");
    project.run("build").success().rows("kept", ["1,0.02"]);
}

#[test]
fn jinja_that_is_no_jinja() {
    let project = built();
    project.model("kept", "select 1 as x\n{% if true %}\nwhere x > 0");
    told("jinja_that_is_no_jinja", &unchanged(project.run("build").refused()));
}

#[test]
fn an_unknown_materialization() {
    let project = built();
    project.model("kept", "{{ config(materialized='tabel') }} select 2 as x");
    told("an_unknown_materialization", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn a_wrong_config_value() {
    let project = built();
    project.yaml("models:\n  - name: kept\n    config:\n      enabled: perhaps\n");
    told("a_wrong_config_value", &unchanged(project.run("build").refused()));
}

#[test]
fn a_snapshot_without_a_strategy() {
    let project = built();
    project.snapshot(
        "s",
        "{% snapshot s %}{{ config(unique_key='x') }} select * from {{ ref('kept') }}{% endsnapshot %}",
    );
    told("a_snapshot_without_a_strategy", &unchanged(project.run("build").refused()));
}

#[test]
fn a_var_that_is_nowhere() {
    let project = built();
    project.model("kept", "select '{{ var('day') }}' as x");
    told("a_var_that_is_nowhere", &unchanged(project.run("build --threads 1").failure()));
}

#[test]
fn an_environment_variable_that_is_not_set() {
    let project = built();
    project.model("kept", "select '{{ env_var('NO_SUCH_VARIABLE') }}' as x");
    told("an_environment_variable_that_is_not_set", &unchanged(project.run("build").refused()));
}

#[test]
fn an_error_that_a_macro_raises() {
    let project = built();
    project.macros(
        "{% macro check() %}\n  {% do exceptions.raise_compiler_error('the day is wrong') %}\n{% endmacro %}",
    );
    project.model("kept", "{{ check() }} select 1 as x");
    told("an_error_that_a_macro_raises", &unchanged(project.run("build").refused()));
}

#[test]
fn no_project() {
    let project = Project::empty();
    told("no_project", &project.run("build").refused());
}

#[test]
fn no_profile() {
    let project = built();
    project.remove("profiles.yml");
    told("no_profile", &unchanged(project.run("build").refused()));
}

#[test]
fn an_unknown_profile() {
    let project = built();
    told("an_unknown_profile", &unchanged(project.run("build --profile shopp").refused()));
}

#[test]
fn an_unknown_target() {
    let project = built();
    told("an_unknown_target", &unchanged(project.run("build --target prd").refused()));
}

#[test]
fn an_unknown_type_of_database() {
    let project = built();
    project.file("profiles.yml", "shop: {target: dev, outputs: {dev: {type: duckbd, schema: main}}}");
    told("an_unknown_type_of_database", &unchanged(project.run("build").refused()));
}

#[test]
fn a_database_that_cannot_be_opened() {
    let project = built();
    project.file(
        "profiles.yml",
        "shop: {target: dev, outputs: {dev: {type: duckdb, path: no/such/folder/x.duckdb, schema: main}}}",
    );
    told("a_database_that_cannot_be_opened", &unchanged(project.run("build").refused()));
}

#[test]
fn a_project_file_without_a_name() {
    let project = built();
    project.file("dbt_project.yml", "profile: shop\n");
    told("a_project_file_without_a_name", &unchanged(project.run("build").refused()));
}

#[test]
fn an_unknown_command() {
    told("an_unknown_command", &Project::new().run("biuld").refused());
}

#[test]
fn an_unknown_option() {
    told("an_unknown_option", &Project::new().run("build --selct a").refused());
}

#[test]
fn vars_that_are_no_mapping() {
    told("vars_that_are_no_mapping", &Project::new().run("build --vars '[1, 2'").refused());
}

#[test]
fn what_comes_after_a_failure_is_skipped() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .model("b", "select y from {{ ref('a') }}")
        .model("c", "select * from {{ ref('b') }}")
        .model("d", "select * from {{ ref('c') }}")
        .model("e", "select * from {{ ref('a') }}")
        .run("build --threads 1")
        .failure()
        .statuses(["a success", "b error", "c skipped", "d skipped", "e success"])
        .relations(["main.a view", "main.e view"]);
}

#[test]
fn fail_fast_stops_at_the_first_failure() {
    let project = Project::new();
    project.model("a", "select no_such_column").model("b", "select 1 as x");
    project.run("build --fail-fast --threads 1").failure().relations([]);
}

#[test]
fn keys_that_nothing_reads() {
    let project = Project::new();
    project.model("orders", "select 1 as id").yaml(
        "
        x-anchors: {}
        models:
          - name: orders
            descripton: typed wrong
            materialized: table
            config: {materialised: table, my_own: 1, meta: {anything: 1}}
            columns:
              - name: id
                data_test: [unique]
                data_tests:
                  - not_null: {config: {severty: warn}}
        sources:
          - name: raw
            tables: [{name: events, owner: me, freshness: {warn_after: {count: 1, perod: day}}}]
        exposures:
          - {name: board, type: dashboard, owner: {name: me, chat: '#here'}, depend_on: [ref('orders')]}
        ",
    );
    // All are told, at their places, and none is an error, because dbt is silent about them with this database.
    let run = project.run("parse --show-all-deprecations --warn-error").success();
    told("keys_that_nothing_reads", &run);
    project
        .run(r#"parse --warn-error-options '{"error": ["CustomKeyInObjectDeprecation"]}'"#)
        .refused()
        .says("did you mean 'description'?");
}

#[test]
fn arguments_of_tests_where_they_do_not_belong() {
    let project = Project::new();
    project.model("orders", "select 1 as id, 'a' as kind").yaml(
        "
        models:
          - name: orders
            columns:
              - name: id
                data_tests: [{unique: {severity: warn}}, {not_null: {name: given, config: {where: id > 0}}}]
              - name: kind
                data_tests:
                  - accepted_values: {values: [a]}
                  - accepted_values: {arguments: {values: [a, b]}}
        ",
    );
    told(
        "arguments_of_tests_where_they_do_not_belong",
        &project.run("parse --show-all-deprecations").success(),
    );
    project.run("parse --warn-error").refused().says("MissingArgumentsPropertyInGenericTestDeprecation");
}

#[test]
fn a_wrong_configuration_in_yaml() {
    let project = Project::new();
    project
        .model("orders", "select 1 as id")
        .yaml("models:\n  - name: orders\n    config:\n      tags: [a]\n      docs: {show: maybe}\n");
    project.run("parse").refused().says("models/schema.yml:5:13").says("docs.show");
}

/// DuckDB's library is loaded for a database, and for nothing else. The linker sees that only in optimized code, where
/// nothing is left of the bindings that nobody calls.
#[test]
#[cfg_attr(debug_assertions, ignore = "only the optimized program starts without the library")]
#[cfg(all(target_os = "linux", not(feature = "bundled")))]
fn a_library_of_duckdb_that_cannot_be_loaded() {
    let project = Project::new();
    project.model("a", "select 1 as x").file("broken/libduckdb.so", "this is no library\n");
    let broken = [("LD_LIBRARY_PATH", "broken")];
    for line in ["--version", "deps", "parse", "ls", "clean"] {
        project.run_with(line, &broken).success();
    }
    told("a_library_of_duckdb_that_cannot_be_loaded", &project.run_with("build", &broken).refused());
    project.run("build").success().rows("a", ["1"]);
}

#[test]
fn names_with_spaces() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .model("two words", "select 1 as x")
        .yaml("models: [{name: a, columns: [{name: x, data_tests: [unique: {name: one of each}]}]}]");
    let run = project.run("build").refused();
    run.says("Resource names cannot contain spaces: 'model.shop.two words'")
        .says("Resource names cannot contain spaces: 'test.shop.one of each.")
        .says("models/two words.sql:1");
    project.config("flags: {require_resource_names_without_spaces: false}");
    project.run("build").success();
}
