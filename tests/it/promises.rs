//! What YAML says of columns: contracts, constraints, indexes and descriptions in the database.

use crate::support::Project;

#[test]
fn a_contract_names_columns_as_the_query_does() {
    let project = Project::new();
    project.model("a", "{{ config(materialized='table') }} select 1 as ID").yaml(
        "
        models:
          - name: a
            config: {contract: {enforced: true}}
            columns: [{name: id, data_type: integer}]
        ",
    );
    project.run("run").failure().says("missing in contract").says("missing in definition").relations([]);
}

#[test]
fn a_contract_without_yaml_fails_when_it_is_built() {
    let project = Project::new();
    project.model("a", "{{ config(contract={'enforced': true}) }} select 1 as x").model("b", "select 1 as x");
    project.run("run").failure().statuses(["a error", "b success"]);
}

#[test]
fn constraints_that_nobody_keeps_are_warned_of() {
    let project = Project::new();
    let model = |name: &str, warns: bool| {
        format!(
            "
            - name: {name}
              config: {{contract: {{enforced: true}}}}
              columns: [{{name: x, data_type: integer, constraints: [{{type: not_null, warn_unsupported: {warns}}}]}}]
            "
        )
    };
    project
        .model("loud", "select 1 as x")
        .model("quiet", "select 1 as x")
        .file("models/loud.yml", &format!("models:{}", model("loud", true)))
        .file("models/quiet.yml", &format!("models:{}", model("quiet", false)));
    project
        .run("parse --no-partial-parse")
        .success()
        .says("not supported for view materializations")
        .says("models/loud.sql")
        .says_nothing_of("models/quiet.sql");
}

#[test]
fn an_index_has_columns_and_may_be_unique() {
    let project = Project::new();
    let indexed = |index: &str| {
        format!("{{{{ config(materialized='table', indexes=[{{{index}}}]) }}}} select 1 as x, 2 as y")
    };
    project
        .model("a", &indexed("'columns': ['x', 'y'], 'unique': true"))
        .model("b", &indexed("'columns': ['x'], 'type': 'hash'"));
    project
        .run("run")
        .failure()
        .statuses(["a success", "b error"])
        .says("'type' is no key of an index")
        .query("select table_name, is_unique from duckdb_indexes()", ["a,true"]);
}

#[test]
fn comments_are_of_columns_by_their_exact_names() {
    let project = Project::new();
    project
        .model("a", "select 1 as id, 2 as k")
        .config("models: {shop: {+persist_docs: {relation: true, columns: true}}}")
        .yaml(
            "
            models:
              - name: a
                description: \"it's a view\"
                columns: [{name: ID, description: of another case}, {name: k, description: of k}]
            ",
        );
    project
        .run("run")
        .success()
        .query("select comment from duckdb_views() where view_name = 'a'", ["it's a view"])
        .query(
            "select column_name, comment from duckdb_columns() where table_name = 'a' order by 1",
            ["id,NULL", "k,of k"],
        );
}
