//! Models in Python, which rbt reads and does not run; functions, in SQL and in Python.

use serde_json::json;

use crate::support::Project;

const PYTHON: &str =
    "def model(dbt, session):\n    dbt.config(materialized='kept', tags=['py'])\n    return dbt.ref('a')\n";

fn with_materialization(languages: &str) -> Project {
    let project = Project::new();
    project.model("a", "select 1 as x").file("models/b.py", PYTHON).macros(&format!(
        "{{% materialization kept, default{languages} %}}
           {{% call statement('main') %}}create or replace table kept as select '{{{{ model.language }}}}' as language{{% endcall %}}
           {{% do adapter.commit() %}}
           {{{{ return({{'relations': []}}) }}}}
         {{% endmaterialization %}}"
    ));
    project
}

#[test]
fn a_model_in_python_has_its_place_in_the_graph() {
    let project = with_materialization("");
    project.run("--quiet ls --select +tag:py").success().lists(["shop.a", "shop.b"]);
}

#[test]
fn a_materialization_takes_the_languages_it_names() {
    let run = with_materialization("");
    run.run("run --select b")
        .failure()
        .says("\"materialization_kept_default\" only supports languages ['sql']; got \"python\"");
    let both = with_materialization(", supported_languages=['sql', 'python']");
    both.run("run --select b").success().rows("kept", ["python"]);
}

#[test]
fn no_python_is_run() {
    let project = Project::new();
    project.file("models/b.py", "def model(dbt, session):\n    return session.sql('select 1')\n");
    project.run("run").failure().says("'b' is a Python model, and rbt runs no Python");
}

fn with_function(file: &str, text: &str, config: &str) -> Project {
    let project = Project::new();
    let properties = format!(
        "
        functions:
          - name: doubled
            config: {config}
            arguments: [{{name: n, data_type: integer}}]
            returns: {{data_type: integer}}
        "
    );
    project
        .file(&format!("functions/{file}"), text)
        .file("functions/functions.yml", &properties)
        .model("a", "select {{ function('doubled') }}(21) as x");
    project
}

#[test]
fn a_function_in_sql_can_be_called() {
    with_function("doubled.sql", "n * 2", "{}").run("build").success().rows("a", ["42"]);
}

#[test]
fn functions_of_other_kinds_and_languages_need_a_macro() {
    let table = with_function("doubled.sql", "n * 2", "{type: table}");
    table.run("build").failure().says("No macro named 'table_function_sql' found within namespace");
    let python = with_function(
        "doubled.py",
        "def main(n):\n    return {{ 1 + 1 }} * n\n",
        "{runtime_version: '3.11', entry_point: main}",
    );
    python.run("build").failure().says("No macro named 'scalar_function_python' found within namespace").has(
        "run_results.json",
        "/results/0/compiled_code",
        json!("def main(n):\n    return 2 * n"),
    );
    let incomplete = with_function("doubled.py", "def main(n): return n", "{runtime_version: '3.11'}");
    incomplete.run("build").failure().says("An `entry_point` is required for python functions");
}
