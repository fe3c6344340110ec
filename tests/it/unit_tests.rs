//! Unit tests: a model on rows that the test gives, against rows that it expects.

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
