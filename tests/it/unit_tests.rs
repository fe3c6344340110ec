//! Unit tests: a model on rows that the test gives, against rows that it expects.

use serde_json::json;

use crate::support::Project;

fn with_unit_test(test: &str) -> Project {
    let project = Project::new();
    project
        .model("a", "select 1 as id, 'x' as v, date '2026-01-01' as day")
        .model("b", "select id * 2 as twice, upper(v) as v from {{ ref('a') }} where id > 0")
        .yaml(&format!("unit_tests:\n  - name: doubles\n    model: b\n{test}"));
    project
}

#[test]
fn rows_can_be_given_as_mappings() {
    let project = with_unit_test(
        "    given: [{input: ref('a'), rows: [{id: 2, v: y}, {id: -1}]}]
    expect: {rows: [{twice: 4, v: Y}]}",
    );
    project.run("build").success().statuses(["a success", "b success", "b.doubles pass"]);
}

#[test]
fn rows_can_be_csv_or_sql() {
    let project = with_unit_test(
        "    given:
      - input: ref('a')
        format: csv
        rows: |
          id,v
          2,y
          3,
    expect:
      format: sql
      rows: select 4 as twice, 'Y' as v union all select 6, null",
    );
    project.run("build").success();
}

#[test]
fn rows_can_be_in_files() {
    let project = with_unit_test(
        "    given: [{input: ref('a'), format: csv, fixture: some_rows}]
    expect: {format: csv, fixture: doubled}",
    );
    project
        .file("tests/fixtures/some_rows.csv", "id,v\n1,a\n")
        .file("tests/fixtures/doubled.csv", "twice,v\n2,A\n");
    project.run("build").success();
}

#[test]
fn a_difference_is_shown_and_holds_up_the_model() {
    let project = with_unit_test(
        "    given: [{input: ref('a'), rows: [{id: 2}]}]
    expect: {rows: [{twice: 5}]}",
    );
    project.run("build").failure().says("actual differs from expected").statuses([
        "a success",
        "b skipped",
        "b.doubles fail",
    ]);
}

#[test]
fn macros_vars_and_env_can_be_overridden() {
    let project = Project::new();
    project
        .model("a", "select 1 as id")
        .model(
            "b",
            "{{ config(materialized='incremental') }}
             select id, '{{ var('who', 'nobody') }}' as who, '{{ env_var('WHERE_FROM', 'nowhere') }}' as origin,
                {{ is_incremental() }} as grown
             from {{ ref('a') }}",
        )
        .yaml(
            "
            unit_tests:
              - name: overridden
                model: b
                overrides:
                  macros: {is_incremental: true}
                  vars: {who: me}
                  env_vars: {WHERE_FROM: here}
                given:
                  - {input: ref('a'), rows: [{id: 1}]}
                  - {input: this, rows: [{id: 7}]}
                expect: {rows: [{id: 1, who: me, origin: here, grown: true}]}
            ",
        );
    project.run("run").success().rows("b", ["1,nobody,nowhere,false"]);
    project.run("test").success().statuses(["b.overridden pass"]);
}

#[test]
fn test_type_selects_them() {
    let project = with_unit_test(
        "    given: [{input: ref('a'), rows: [{id: 2}]}]
    expect: {rows: [{twice: 4}]}",
    );
    project.run("run").success();
    project.run("test --select test_type:unit").success().statuses(["b.doubles pass"]);
}

#[test]
fn each_version_of_a_model_is_tested() {
    let project = Project::new();
    project
        .model("a", "select 1 as id")
        .model("b_v1", "select id from {{ ref('a') }}")
        .model("b_v2", "select id from {{ ref('a') }}")
        .yaml(
            "
            models: [{name: b, latest_version: 2, versions: [{v: 1}, {v: 2}]}]
            unit_tests:
              - name: all
                model: b
                given: [{input: ref('a'), rows: [{id: 5}]}]
                expect: {rows: [{id: 5}]}
              - name: last
                model: b
                versions: {include: [2]}
                given: [{input: ref('a'), rows: [{id: 5}]}]
                expect: {rows: [{id: 5}]}
            ",
        );
    project.run("run").success();
    let run = project.run("test").success();
    let mut ids: Vec<String> =
        run.results().iter().filter_map(|result| result["unique_id"].as_str().map(str::to_owned)).collect();
    ids.sort();
    assert_eq!(ids, ["unit_test.shop.b.all_v1", "unit_test.shop.b.all_v2", "unit_test.shop.b.last_v2"]);
}

#[test]
fn versions_of_a_model_without_any_are_an_error() {
    let project = with_unit_test(
        "    versions: {include: [2]}
    given: [{input: ref('a'), rows: [{id: 2}]}]
    expect: {rows: [{twice: 4}]}",
    );
    project.run("parse").refused().says("non-versioned model 'b'").says("models/schema.yml");
}

#[test]
fn an_input_that_is_not_given_is_an_error() {
    let project = with_unit_test("    given: []\n    expect: {rows: [{twice: 4}]}");
    project.run("build").failure().says("depends on a node named 'a' which was not found among its inputs");
}

/// As in dbt, this is no reason not to build the models.
#[test]
fn an_input_that_does_not_exist_is_told_by_the_test() {
    let project = with_unit_test(
        "    given: [{input: ref('nowhere'), rows: [{id: 2}]}]
    expect: {rows: [{twice: 4}]}",
    );
    project.run("run").success();
    project.run("test").failure().says("an input (ref('nowhere')) which was not found in the manifest");
}

#[test]
fn fixtures_have_names_of_their_own() {
    let project = with_unit_test("    given: []\n    expect: {rows: [{twice: 4}]}");
    project.file("tests/fixtures/x/rows.csv", "id\n1\n").file("tests/fixtures/y/rows.csv", "id\n1\n");
    project
        .run("parse")
        .refused()
        .says("two fixtures with the name \"rows\"")
        .says("tests/fixtures/y/rows.csv");
}

#[test]
fn a_seed_gives_its_own_rows() {
    let project = Project::new();
    project.seed("s", "id,v\n1,x\n2,\n").model("b", "select id * 2 as twice, v from {{ ref('s') }}").yaml(
        "
            unit_tests:
              - name: doubles
                model: b
                given: [{input: ref('s')}]
                expect: {rows: [{twice: 2, v: x}, {twice: 4, v: null}]}
            ",
    );
    project.run("build").success().rows("b", ["2,x", "4,NULL"]);
}

#[test]
fn a_row_without_nulls_comes_first() {
    let project = Project::new();
    project.model("a", "select 1 as x, 'a' as y").model("b", "select x, y from {{ ref('a') }}").yaml(
        "
        unit_tests:
          - name: t
            model: b
            given: [{input: ref('a'), rows: [{x: null, y: a}, {x: 2, y: b}]}]
            expect: {rows: [{x: null, y: a}, {x: 2, y: b}]}
        ",
    );
    project.run("build").success().has(
        "manifest.json",
        "/unit_tests/unit_test.shop.b.t/given/0/rows",
        json!([{"x": 2, "y": "b"}, {"x": null, "y": "a"}]),
    );
}
