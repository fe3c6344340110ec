//! `kill -9` while a DuckLake is built: its catalog is a DuckDB file, its rows are files beside it.

use serde_json::{Value as Json, json};

use super::kills::{State, Subject, content, kill_builds};
use crate::support::{Database, Project, extensions};

#[test]
fn a_killed_build_leaves_a_lake_whole() {
    if extensions().is_none() {
        return;
    }
    kill_builds(Subject {
        project: project(),
        change_files: |project, version| {
            project.seed("seed", &format!("id,v\n1,{version}\n2,{version}\n"));
        },
        line: |version| format!("build --vars '{{v: {version}}}'"),
        state,
        is_built_piecemeal: |_| false,
        check: |_, _| {},
    });
}

/// A profile whose models go to a lake. One thread, as DuckLake refuses some commits that another one overtakes. Where the lake is, is said from the folder that rbt runs in.
fn target(folder: &str) -> Json {
    let files = format!("{folder}files/");
    json!({
        "type": "duckdb",
        "path": format!("{folder}shop.duckdb"),
        "schema": "main",
        "database": "lake",
        "threads": 1,
        "extensions": ["ducklake"],
        "config_options": {"extension_directory": extensions()},
        "attach": [{
            "path": format!("ducklake:{folder}meta.ducklake"),
            "alias": "lake",
            "options": {"data_path": files, "override_data_path": true},
        }],
    })
}

fn project() -> Project {
    let project = Project::new();
    let profile = json!({"shop": {"target": "dev", "outputs": {"dev": target("")}}});
    let new_rows = "select range + 5000 * v as id, v from range(20000), (select {{ var('v') }} as v)";
    project
        .file("profiles.yml", &profile.to_string())
        .model("base", "{{ config(materialized='table') }} select range as id, {{ var('v') }} as v from range(20000)")
        .model("shown", "select id, v + {{ var('v') }} as w from {{ ref('base') }}")
        .model(
            "turned",
            "{{ config(materialized='table' if var('v') == 1 else 'view') }} select * from {{ ref('base') }}",
        )
        .model(
            "returned",
            "{{ config(materialized='view' if var('v') == 1 else 'table') }} select * from {{ ref('base') }}",
        )
        .snapshot(
            "versions",
            "
            {% snapshot versions %}
            {{ config(unique_key='id', strategy='timestamp', updated_at='changed_at', hard_deletes='new_record') }}
            select id, v, date '2024-01-01' + v::integer as changed_at from {{ ref('base') }}
            where id % 10 = 0 and (v = 1 or id % 3 > 0)
            {% endsnapshot %}
            ",
        );
    for strategy in ["append", "delete+insert", "merge"] {
        let name = strategy.replace('+', "_");
        project.model(
            &name,
            &format!(
                "
                {{{{ config(materialized='incremental', incremental_strategy='{strategy}', unique_key='id') }}}}
                select * from ({new_rows})
                {{% if is_incremental() %}} where v > (select max(v) from {{{{ this }}}}) {{% endif %}}
                "
            ),
        );
    }
    project
}

fn state(project: &Project) -> State {
    if !project.exists("meta.ducklake") {
        return State::new();
    }
    let database = Database::of_target(&target(&format!("{}/", project.path().display())));
    let relations = "
        select table_name || ' table' from duckdb_tables() where database_name = 'lake' and schema_name = 'main'
        union all select view_name || ' view' from duckdb_views() where database_name = 'lake' and not internal
    ";
    let described = |relation: String| {
        let (name, kind) = relation.split_once(' ').expect("a name and a kind");
        let content = if kind == "view" {
            view(&database, name)
        } else {
            content(&database, &format!("lake.main.{name}"))
        };
        (name.to_owned(), format!("{kind} {content}"))
    };
    database.lines(relations).into_iter().map(described).collect()
}

/// What a view is made of; that it can be read is asserted.
fn view(database: &Database, name: &str) -> String {
    database.lines(&format!("select count(*) from lake.main.{name}"));
    database.lines(&format!("select sql from duckdb_views() where view_name = '{name}'")).concat()
}
