//! Data tests: the four generic ones, those of the project, singular ones, and what decides how bad a failure is.

use serde_json::json;

use crate::support::Project;

/// A model `a` with rows that violate most expectations, and a column's tests.
fn with_tests(tests: &str) -> Project {
    let project = Project::new();
    project
        .model("parent", "select 1 as id")
        .model("a", "select 1 as id, 'x' as v union all select 1, 'y' union all select null, 'z'")
        .yaml(&format!("models: [{{name: a, columns: [{{name: id, data_tests: [{tests}]}}]}}]"));
    project
}

#[test]
fn the_four_generic_tests_find_what_is_wrong() {
    let project = with_tests(
        "unique, not_null, {accepted_values: {arguments: {values: [2, 3], quote: false}}}, \
         {relationships: {arguments: {to: ref('parent'), field: id}}}",
    );
    let run = project.run("build").failure().statuses([
        "a success",
        "accepted_values_a_id__False__2__3 fail",
        "not_null_a_id fail",
        "parent success",
        "relationships_a_id__id__ref_parent_ pass",
        "unique_a_id fail",
    ]);
    let failures = run.results().iter().filter_map(|result| result["failures"].as_u64()).sum::<u64>();
    assert_eq!(failures, 3);
}

#[test]
fn arguments_may_stand_without_the_word() {
    with_tests("{accepted_values: {values: [1], quote: false}}").run("build").success();
}

#[test]
fn where_leaves_rows_out() {
    with_tests("{not_null: {config: {where: \"v != 'z'\"}}}").run("build").success();
}

#[test]
fn severity_warn_warns() {
    let project = with_tests("{not_null: {config: {severity: warn}}}");
    project.run("build").success().says("WARN 1").statuses([
        "a success",
        "not_null_a_id warn",
        "parent success",
    ]);
}

#[test]
fn warnings_can_be_made_errors() {
    with_tests("{not_null: {config: {severity: warn}}}").run("--warn-error build").failure();
}

#[test]
fn thresholds_decide() {
    with_tests("{not_null: {config: {error_if: '>1', warn_if: '>0'}}}").run("build").success().says("WARN 1");
    with_tests("{not_null: {config: {error_if: '>1', warn_if: '>1'}}}").run("build").success().says("PASS=3");
    with_tests("{not_null: {config: {error_if: '>0'}}}").run("build").failure();
}

#[test]
fn limit_and_fail_calc_change_the_count() {
    let project = with_tests("{unique: {config: {fail_calc: 'sum(n_records)'}}}");
    project.run("build").failure().says("Got 2 results");
    let project = with_tests("{accepted_values: {arguments: {values: ['9']}, config: {limit: 1}}}");
    project.run("build").failure().says("Got 1 result");
}

#[test]
fn failures_can_be_stored() {
    let project = with_tests("{not_null: {config: {store_failures: true}}}");
    project.run("build").failure().rows("main_dbt_test__audit.not_null_a_id", ["NULL,z"]);
    let project = with_tests("not_null");
    project.run("build --store-failures").failure().rows("main_dbt_test__audit.not_null_a_id", ["NULL,z"]);
    let project = with_tests("{not_null: {config: {store_failures_as: view, schema: checks, alias: nulls}}}");
    project.run("build").failure().rows("main_checks.nulls", ["NULL,z"]);
}

#[test]
fn stored_failures_are_replaced_by_the_next_run() {
    let project = with_tests("{not_null: {config: {store_failures: true}}}");
    project.run("build").failure();
    project
        .model("a", "select 1 as id")
        .run("build")
        .success()
        .rows("main_dbt_test__audit.not_null_a_id", []);
}

const POSITIVE: &str = "{% test positive(model, column_name, than=0) %}
    select * from {{ model }} where {{ column_name }} <= {{ than }}
{% endtest %}";

#[test]
fn the_project_can_define_generic_tests() {
    for path in ["tests/generic/positive.sql", "macros/positive.sql"] {
        let project = with_tests("positive, {positive: {name: large, arguments: {than: 5}}}");
        project.file(path, POSITIVE);
        project.run("build").failure().statuses([
            "a success",
            "large fail",
            "parent success",
            "positive_a_id pass",
        ]);
    }
}

#[test]
fn the_config_of_a_generic_test_is_a_default() {
    let project = with_tests("positive, {positive: {name: strict, config: {severity: error}}}");
    let warns =
        POSITIVE.replace("%}\n    select", "%}{{ config(severity='warn') }}\n    select").replace("<=", ">");
    project.file("tests/generic/positive.sql", &warns);
    project.run("build").failure().statuses([
        "a success",
        "parent success",
        "positive_a_id warn",
        "strict fail",
    ]);
}

#[test]
fn a_test_of_a_table_needs_no_column() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .file(
            "tests/generic/has_rows.sql",
            "{% test has_rows(model) %} select 1 from {{ model }} having count(*) = 0 {% endtest %}",
        )
        .yaml("models: [{name: a, data_tests: [has_rows]}]");
    project.run("build").success().statuses(["a success", "has_rows_a_ pass"]);
}

#[test]
fn sources_and_seeds_have_tests() {
    let project = Project::new();
    project
        .seed("s", "id\n1\n")
        .yaml(
            "
            sources:
              - name: raw
                schema: main
                tables: [{name: t, columns: [{name: id, data_tests: [not_null]}]}]
            seeds: [{name: s, columns: [{name: id, data_tests: [unique]}]}]
            ",
        )
        .sql("create table t as select 1 as id");
    project.run("build").success().statuses([
        "s success",
        "source_not_null_raw_t_id pass",
        "unique_s_id pass",
    ]);
}

#[test]
fn singular_tests_are_queries() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .test("finds_nothing", "select * from {{ ref('a') }} where x > 1")
        .test("finds_it", "select * from {{ ref('a') }}")
        .test("deeper/finds_it_but_warns", "{{ config(severity='warn') }} select * from {{ ref('a') }}");
    let statuses = ["a success", "finds_it fail", "finds_it_but_warns warn", "finds_nothing pass"];
    project.run("build").failure().statuses(statuses);
}

#[test]
fn a_test_that_cannot_run_is_an_error() {
    let project = with_tests("{not_null: {config: {where: 'no_such_column = 1'}}}");
    project.run("build").failure().says("no_such_column").statuses([
        "a success",
        "not_null_a_id error",
        "parent success",
    ]);
}

#[test]
fn in_build_a_failing_test_holds_up_what_comes_after() {
    let project = with_tests("not_null");
    project.model("b", "select * from {{ ref('a') }}").model("c", "select * from {{ ref('parent') }}");
    project.run("build").failure().statuses([
        "a success",
        "b skipped",
        "c success",
        "not_null_a_id fail",
        "parent success",
    ]);
}

#[test]
fn some_failing_rows_are_shown() {
    let project = Project::new();
    project
        .model("a", "select range as id, nullif(range, 3) as v from range(9)")
        .test("few", "select id, v from {{ ref('a') }} where id = 3")
        .test("many", "{{ config(severity='warn') }} select id from {{ ref('a') }} order by id");
    project
        .run("build")
        .failure()
        .says("failing rows:\n  | id | v    |\n  | -- | ---- |\n  |  3 | NULL |\n")
        .says("failing rows (the first 5 of 9):")
        .says("compiled code at target/compiled/shop/tests/few.sql");
}

#[test]
fn a_calculation_without_a_number_is_an_error() {
    let project = with_tests("{not_null: {config: {fail_calc: 'sum(id)'}}}");
    project.run("build").failure().says("coalesce").statuses([
        "a success",
        "not_null_a_id error",
        "parent success",
    ]);
}

#[test]
fn test_runs_nothing_but_tests() {
    let project = with_tests("not_null");
    project.run("test --resource-type model").success().relations([]);
}

#[test]
fn what_fail_fast_skips_says_so() {
    let project = Project::new();
    project.test("a", "select 1 as x").test("b", "select 1 as x");
    let run = project.run("test --fail-fast --threads 1").failure();
    let messages: Vec<_> = run.results().iter().map(|result| result["message"].clone()).collect();
    assert!(messages.contains(&"Skipping due to fail_fast".into()), "{messages:?}");
}

#[test]
fn a_test_adds_its_tags_to_those_of_its_macro() {
    let project = Project::new();
    project
        .macros("{% test own(model) %}{{ config(tags=['of_macro'], meta={'k': 1}) }}select 1 from {{ model }} where false{% endtest %}")
        .model("a", "select 1 as x")
        .yaml("models: [{name: a, data_tests: [{own: {name: t, config: {tags: [z], meta: {l: 2}}}}]}]");
    let manifest = project.run("build").success().artifact("manifest.json");
    let nodes = manifest["nodes"].as_object().expect("nodes");
    let test = nodes.values().find(|node| node["resource_type"] == "test").expect("a test");
    assert_eq!(test["config"]["tags"], json!(["z", "of_macro", "z"]));
    assert_eq!(test["tags"], json!(["z", "of_macro"]));
    assert_eq!(test["config"]["meta"], json!({"l": 2, "k": 1}));
    project.run("ls --quiet --select tag:of_macro").success().lists(["shop.t"]);
}

#[test]
fn tests_of_what_is_missing_or_switched_off_stay_in_the_manifest() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .model("gone", "{{ config(enabled=false) }} select 1 as x")
        .file("tests/of_missing.sql", "select * from {{ source('raw', 'nowhere') }} cross join {{ ref('a') }}")
        .yaml(
            "
            models:
              - {name: gone, columns: [{name: x, data_tests: [not_null]}]}
              - name: a
                columns:
                  - name: x
                    data_tests:
                      - not_null
                      - unique: {config: {enabled: false}}
            sources:
              - {name: raw, tables: [{name: quiet, config: {enabled: false}, data_tests: [never: {arguments: {x: 1}}]}]}
            ",
        )
        .file("tests/generic/never.sql", "{% test never(model, x) %} select {{ x }} from {{ model }} where false {% endtest %}");
    let run = project
        .run("build")
        .success()
        .says("Found 1 model, 1 data test,")
        .says("'test.shop.of_missing' (tests/of_missing.sql) depends on a source named 'raw.nowhere' in package '' which was not found")
        .says("depends on a source named 'raw.quiet' which is disabled")
        .statuses(["a success", "not_null_a_x pass"]);
    let manifest = run.artifact("manifest.json");
    let enabled = |name: &str| {
        let nodes = manifest["nodes"].as_object().expect("there are nodes");
        let found = nodes.values().find(|node| node["name"] == name);
        found.map(|node| (node["config"]["enabled"].clone(), node["depends_on"]["nodes"].clone()))
    };
    assert_eq!(enabled("not_null_a_x"), Some((json!(true), json!(["model.shop.a"]))));
    assert_eq!(enabled("not_null_gone_x"), Some((json!(false), json!([]))));
    assert_eq!(enabled("source_never_raw_quiet_1"), Some((json!(false), json!([]))));
    assert_eq!(enabled("of_missing"), Some((json!(false), json!(["model.shop.a"]))));
    assert_eq!(enabled("unique_a_x"), None);
    project.run("ls --quiet").success().lists(["shop.a", "shop.not_null_a_x"]);
}
