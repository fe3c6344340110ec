//! Files with mistakes in them: what is told names the file, the line and the column, shows the line, and helps.

use crate::support::Project;

/// A name, the broken file, and its text.
const BROKEN: [(&str, &str, &str); 44] = [
    ("key_twice_in_flow", "models/schema.yml", "models: [{name: a, columns: }]}\n"),
    ("tab_for_indentation", "models/schema.yml", "models:\n\t- name: a\n"),
    ("unclosed_quote", "models/schema.yml", "models:\n  - name: 'a\n    description: x\n"),
    ("colon_in_text", "models/schema.yml", "models:\n  - name: a\n    description: note: this\n"),
    ("empty_lines_before", "models/schema.yml", "\n\n\nmodels:\n  - nam: a\n"),
    ("list_for_file", "models/schema.yml", "- models\n"),
    ("mapping_for_models", "models/schema.yml", "models:\n  a: {description: x}\n"),
    ("text_for_model", "models/schema.yml", "models:\n  - a\n"),
    ("no_name", "models/schema.yml", "models:\n  - description: nameless\n"),
    ("name_that_is_a_boolean", "models/schema.yml", "models:\n  - name: off\n"),
    (
        "name_of_a_column_that_is_a_number",
        "models/schema.yml",
        "models:\n  - name: a\n    columns: [{name: 2024}]\n",
    ),
    (
        "name_of_a_table_that_is_a_boolean",
        "models/schema.yml",
        "sources:\n  - name: s\n    tables: [{name: no}]\n",
    ),
    ("name_that_is_empty", "models/schema.yml", "models:\n  - name:\n"),
    ("two_entries", "models/schema.yml", "models:\n  - name: a\n  - name: a\n"),
    ("columns_as_mapping", "models/schema.yml", "models:\n  - name: a\n    columns: {x: y}\n"),
    (
        "column_without_name",
        "models/schema.yml",
        "models:\n  - name: a\n    columns:\n      - description: x\n",
    ),
    ("config_as_list", "models/schema.yml", "models:\n  - name: a\n    config: [x]\n"),
    (
        "meta_twice",
        "models/schema.yml",
        "models:\n  - name: a\n    meta: {x: 1}\n    config: {meta: {y: 2}}\n",
    ),
    (
        "enabled_is_no_boolean",
        "models/schema.yml",
        "models:\n  - name: a\n    config:\n      enabled: maybe\n",
    ),
    ("unknown_access", "models/schema.yml", "models:\n  - name: a\n    access: secret\n"),
    ("unknown_group", "models/schema.yml", "models:\n  - name: a\n    config: {group: finance}\n"),
    (
        "both_names_of_tests",
        "models/schema.yml",
        "models:\n  - name: a\n    columns:\n      - name: x\n        tests: [unique]\n        data_tests: [not_null]\n",
    ),
    (
        "test_with_two_keys",
        "models/schema.yml",
        "models:\n  - name: a\n    data_tests:\n      - unique:\n        not_null:\n",
    ),
    ("test_as_number", "models/schema.yml", "models:\n  - name: a\n    data_tests: [3]\n"),
    (
        "test_severity",
        "models/schema.yml",
        "models:\n  - name: a\n    data_tests:\n      - unique: {column_name: x, config: {severity: fatal}}\n",
    ),
    (
        "test_of_model_argument",
        "models/schema.yml",
        "models:\n  - name: a\n    data_tests:\n      - unique: {arguments: {model: b}}\n",
    ),
    (
        "jinja_in_yaml",
        "models/schema.yml",
        "models:\n  - name: a\n    config:\n      alias: \"{{ varr('x') }}\"\n",
    ),
    (
        "unclosed_jinja_in_yaml",
        "models/schema.yml",
        "models:\n  - name: a\n    config:\n      alias: \"{{ var('x') \"\n",
    ),
    ("source_without_name", "models/schema.yml", "sources:\n  - tables: [{name: t}]\n"),
    (
        "source_table_without_name",
        "models/schema.yml",
        "sources:\n  - name: s\n    tables:\n      - description: x\n",
    ),
    (
        "source_enabled",
        "models/schema.yml",
        "sources:\n  - name: s\n    tables:\n      - name: t\n        config:\n          enabled: perhaps\n",
    ),
    ("exposure_without_owner", "models/schema.yml", "exposures:\n  - name: e\n    type: dashboard\n"),
    (
        "exposure_of_no_type",
        "models/schema.yml",
        "exposures:\n  - name: e\n    type: dashbord\n    owner: {name: me}\n",
    ),
    (
        "exposure_enabled",
        "models/schema.yml",
        "exposures:\n  - name: e\n    type: dashboard\n    owner: {name: me}\n    config:\n      enabled: often\n",
    ),
    (
        "version_config",
        "models/schema.yml",
        "models:\n  - name: a\n    latest_version: 1\n    versions:\n      - v: 1\n        defined_in: a\n        config:\n          enabled: never\n",
    ),
    ("unit_test_without_model", "models/schema.yml", "unit_tests:\n  - name: u\n    expect: {rows: []}\n"),
    (
        "freshness_without_period",
        "models/schema.yml",
        "models:\n  - name: a\n    config:\n      freshness:\n        build_after: {count: 3}\n",
    ),
    (
        "doc_that_is_not_there",
        "models/schema.yml",
        "models:\n  - name: a\n    description: \"{{ doc('nothing') }}\"\n",
    ),
    ("unclosed_docs_block", "models/docs.md", "{% docs one %}\ntext\n"),
    ("unclosed_if", "models/a.sql", "select 1\n{% if true %}\nas x\n"),
    ("unknown_filter", "models/a.sql", "select {{ 'x' | uper }} as x\n"),
    ("wrong_config_in_sql", "models/a.sql", "{{ config(enabled='perhaps') }}\nselect 1\n"),
    ("unclosed_macro", "macros/m.sql", "{% macro one() %}\nselect 1\n"),
    (
        "two_macros_of_one_name",
        "macros/m.sql",
        "{% macro one() %}{% endmacro %}\n{% macro one() %}{% endmacro %}\n",
    ),
];

#[test]
fn mistakes_are_shown_where_they_are() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("texts/broken");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, path, text) in BROKEN {
            let project = Project::new();
            project.model("a", "select 1 as x").file(path, text);
            insta::assert_snapshot!(name, project.run("parse").refused().told());
        }
    });
}

#[test]
fn mistakes_in_macros_hide_none_in_yaml() {
    let project = Project::new();
    project.model("a", "select 1").macros("{% macro one() %}").yaml("models: [{name: a]\n");
    project.run("parse").refused().says("macros/macros.sql").says("models/schema.yml");
}

#[test]
fn mistakes_in_project_files_are_told_together() {
    let project = Project::new();
    project.config("model-paths: models\nversion: '1'\ntests: {+enabled: true}\ndata_tests: {+enabled: true}\nmodell: {}");
    let run = project.run("parse").refused();
    let expected = [
        "cannot have both 'tests' and 'data_tests' defined",
        "at path ['model-paths']: 'models' is not valid under any of the given schemas",
        "at path ['version']: '1' is not valid under any of the given schemas",
        "('modell' was unexpected)",
        "did you mean 'models'?",
    ];
    expected.into_iter().fold(run, |run, said| run.says(said));
}

#[test]
fn warnings_of_old_habits() {
    let project = Project::new();
    project
        .config("flags: {validate_macro_args: true, require_resource_names_without_spaces: false}")
        .model("my model", "select {{ modules.itertools.chain([1], [2]) | list | length }} as x")
        .macros("{% macro one(a, b) %}{% endmacro %}")
        .yaml("macros: [{name: one, arguments: [{name: a, type: text}, {name: c}]}]");
    project
        .run("parse")
        .success()
        .says("Usage of itertools modules is deprecated")
        .says("Found spaces in the name of `model.shop.my model`")
        .says("Spaces found in 1 resource name(s)")
        .says("Argument a in the yaml for macro one has an invalid type")
        .says("Argument c in yaml for macro one does not match the jinja definition");
    project.file("dbt_project.yml", "name: shop\nprofile: shop\n");
    project.run("parse").refused().says("Resource names cannot contain spaces");
}

#[test]
fn two_entries_that_override_one_source() {
    let project = Project::new();
    let entry = "sources: [{name: raw, overrides: lib, description: mine}]";
    project.file("dbt_packages/lib/dbt_project.yml", "name: lib");
    project.file("dbt_packages/lib/models/raw.yml", "sources: [{name: raw, tables: [{name: t}]}]");
    project.file("packages.yml", "packages: [{local: ./lib}]").file("lib/dbt_project.yml", "name: lib");
    project.file("models/one.yml", entry).file("models/two.yml", entry);
    let run = project.run("parse").refused();
    run.says("dbt found two schema.yml entries for the same source named raw")
        .says("models/one.yml")
        .says("models/two.yml");
}

#[test]
fn several_disabled_models_that_an_entry_would_enable() {
    let project = Project::new();
    let disabled = "{{ config(enabled=false) }} select 1 as x";
    project
        .model("x/a", disabled)
        .model("y/a", disabled)
        .yaml("models: [{name: a, config: {enabled: true}}]");
    project.run("parse").refused().says("Found 2 matching disabled nodes for model 'a'");
}
