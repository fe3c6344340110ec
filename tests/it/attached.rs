//! Databases beside the main one: DuckDB files, DuckLake, PostgreSQL and SQLite.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::support::{Database, Postgres, Project, extensions};

/// A project whose profile is this target.
fn project(target: &Json) -> Project {
    let project = Project::new();
    set_target(&project, target);
    project
}

fn set_target(project: &Project, target: &Json) {
    let profile = json!({"shop": {"target": "dev", "outputs": {"dev": target}}});
    project.file("profiles.yml", &profile.to_string());
}

fn target(extensions: &Path, database: &str, attach: Json) -> Json {
    json!({
        "type": "duckdb",
        "path": "shop.duckdb",
        "schema": "main",
        "database": database,
        "threads": 2,
        "extensions": ["ducklake", "postgres_scanner", "sqlite_scanner"],
        "config_options": {"extension_directory": extensions},
        "attach": attach,
    })
}

/// One of everything that a run builds, in two versions.
fn one_of_everything(project: &Project) {
    project
        .seed("s", "id,name\n1,ann\n2,bob\n")
        .model("t", "{{ config(materialized='table') }} select id, name, {{ var('v') }} as v from {{ ref('s') }}")
        .model("shown", "select * from {{ ref('t') }} where id > 1")
        .model("turned", "{{ config(materialized='table' if var('v') == 1 else 'view') }} select * from {{ ref('t') }}")
        .model("returned", "{{ config(materialized='view' if var('v') == 1 else 'table') }} select * from {{ ref('t') }}")
        .model(
            "replaced",
            "
            {{ config(materialized='incremental', unique_key='id') }}
            select id, v from {{ ref('t') }} {% if is_incremental() %} where id > 1 {% endif %}
            ",
        )
        .model(
            "merged",
            "
            {{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }}
            select id, v from {{ ref('t') }} {% if is_incremental() %} where id > 1 {% endif %}
            ",
        )
        .model(
            "widened",
            "
            {{ config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns') }}
            select id {% if var('v') == 2 %}, 'new' as more{% endif %} from {{ ref('t') }}
            ",
        )
        .snapshot(
            "versions",
            "
            {% snapshot versions %}
            {{ config(unique_key='id', strategy='check', check_cols=['v']) }}
            select id, case when id = 1 then 1 else v end as v from {{ ref('t') }}
            {% endsnapshot %}
            ",
        )
        .yaml(
            "
            models:
              - name: t
                description: it's a table
                config: {persist_docs: {relation: true}}
                columns: [{name: id, data_tests: [unique, not_null]}]
            ",
        );
}

/// Builds both versions, and looks at what is there, in the database that is called `lake`.
#[track_caller]
fn builds_everything(project: &Project, target: &Json) {
    one_of_everything(project);
    for version in [1, 2] {
        project.run(&format!("build --vars '{{v: {version}}}'")).success();
    }
    let database = Database::of_target(target);
    for (query, rows) in [
        ("select * from lake.main.s", &["1,ann", "2,bob"][..]),
        ("select * from lake.main.t", &["1,ann,2", "2,bob,2"]),
        ("select * from lake.main.shown", &["2,bob,2"]),
        ("select * from lake.main.turned", &["1,ann,2", "2,bob,2"]),
        ("select * from lake.main.returned", &["1,ann,2", "2,bob,2"]),
        ("select * from lake.main.replaced", &["1,1", "2,2"]),
        ("select * from lake.main.merged", &["1,1", "2,2"]),
        ("select * from lake.main.widened", &["1,new", "1,NULL", "2,new", "2,NULL"]),
        (
            "select id, v, dbt_valid_to is null from lake.main.versions",
            &["1,1,true", "2,1,false", "2,2,true"],
        ),
        (
            "select comment from duckdb_tables() where database_name = 'lake' and table_name = 't'",
            &["it's a table"],
        ),
        (
            "select view_name from duckdb_views() where database_name = 'lake' and not internal",
            &["shown", "turned"],
        ),
    ] {
        assert_eq!(database.lines(&format!("select * from ({query}) order by all")), rows, "{query}");
    }
    let tables = database.lines("select table_name from duckdb_tables() where database_name = 'lake' and schema_name = 'main' order by 1");
    assert_eq!(
        tables,
        ["merged", "replaced", "returned", "s", "t", "versions", "widened"],
        "and nothing else"
    );
}

#[test]
fn a_lake_with_its_catalog_in_duckdb() {
    let Some(extensions) = extensions() else { return };
    let project = Project::new();
    let at = |name: &str| project.path().join(name).display().to_string();
    let lake = json!({"path": format!("ducklake:{}", at("meta.ducklake")), "alias": "lake", "options": {"data_path": at("files")}});
    let target = target(&extensions, "lake", json!([lake]));
    set_target(&project, &target);
    builds_everything(&project, &target);
}

#[test]
fn a_lake_with_its_catalog_in_postgres() {
    let Some(extensions) = extensions() else { return };
    let server = Postgres::start();
    let project = Project::new();
    let path = format!("ducklake:postgres:{}", server.address("lake"));
    let files = project.path().join("files");
    let target = target(
        &extensions,
        "lake",
        json!([{"path": path, "alias": "lake", "is_ducklake": true, "options": {"data_path": files}}]),
    );
    set_target(&project, &target);
    builds_everything(&project, &target);
}

#[test]
fn a_lake_as_the_main_database() {
    let Some(extensions) = extensions() else { return };
    let project = Project::new();
    let path = format!("ducklake:{}", project.path().join("lake.ducklake").display());
    let target = json!({
        "type": "duckdb", "path": path, "schema": "main", "threads": 4, "extensions": ["ducklake"],
        "config_options": {"extension_directory": extensions}, "retries": {"query_attempts": 3},
    });
    set_target(&project, &target);
    builds_everything(&project, &target);
}

#[test]
fn partitions_of_a_lake_are_folders() {
    let Some(extensions) = extensions() else { return };
    let project = project(&target(
        &extensions,
        "lake",
        json!([{"path": "ducklake:meta.ducklake", "alias": "lake", "options": {"data_path": "files"}}]),
    ));
    project.model(
        "t",
        "{{ config(materialized='table', partitioned_by='day') }} select range % 2 as day, range as x from range(1000)",
    );
    project.run("run").success();
    let files = project.files("files");
    assert!(["day=0", "day=1"].iter().all(|part| files.iter().any(|path| path.contains(part))), "{files:?}");
}

#[test]
fn sources_are_read_from_postgres_and_sqlite() {
    let Some(extensions) = extensions() else { return };
    let server = Postgres::start();
    let project = Project::new();
    let sqlite = project.path().join("app.sqlite").display().to_string();
    let target = target(
        &extensions,
        "shop",
        json!([
            {"path": server.address("sales"), "type": "postgres", "alias": "sales"},
            {"path": sqlite, "type": "sqlite", "alias": "app"},
            {"path": "dim.duckdb", "read_only": false},
        ]),
    );
    let mut outside = target.clone();
    outside["path"] = json!(":memory:");
    outside["database"] = Json::Null;
    outside["attach"][2]["path"] = json!(project.path().join("dim.duckdb"));
    {
        let database = Database::of_target(&outside);
        database.query(
            "create table sales.public.orders as select range as id, range * 2.5 as amount from range(3)",
        );
        database.query("create table app.users as select 1 as id, 'ann' as name");
    }
    set_target(&project, &target);
    project
        .file(
            "models/sources.yml",
            "
            sources:
              - name: sales
                database: sales
                schema: public
                tables: [{name: orders, columns: [{name: id, data_tests: [unique]}]}]
              - {name: app, database: app, schema: main, tables: [{name: users}]}
            ",
        )
        .model(
            "joined",
            "
            {{ config(materialized='table') }}
            select orders.id, amount, name from {{ source('sales', 'orders') }} as orders
            left join {{ source('app', 'users') }} as users using (id)
            ",
        )
        .model("out_postgres", "{{ config(materialized='table', database='sales', schema='built') }} select * from {{ ref('joined') }}")
        .model("out_sqlite", "{{ config(materialized='incremental', unique_key='id', database='app') }} select * from {{ ref('joined') }}")
        .model("out_file", "{{ config(materialized='table', database='dim') }} select * from {{ ref('joined') }}");
    for _ in ["first", "again"] {
        project.run("build").success().rows("joined", ["0,0.0,NULL", "1,2.5,ann", "2,5.0,NULL"]);
    }
    let database = Database::of_target(&outside);
    for table in ["sales.main_built.out_postgres", "app.out_sqlite", "dim.main.out_file"] {
        let rows = database.lines(&format!("select id, amount::double, name from {table} order by all"));
        assert_eq!(rows, ["0,0.0,NULL", "1,2.5,ann", "2,5.0,NULL"], "{table}");
    }
}

#[test]
fn an_extension_that_cannot_be_had_is_named() {
    let mut target = target(Path::new("nowhere"), "shop", json!([]));
    target["extensions"] = json!(["ducklake"]);
    target["settings"] = json!({});
    target["config_options"]["autoinstall_known_extensions"] = json!("false");
    target["config_options"]["custom_extension_repository"] = json!("/nowhere");
    project(&target)
        .model("a", "select 1 as x")
        .run("run")
        .refused()
        .says("help: the profile's `extensions` want ducklake")
        .says("extension_directory");
}

#[test]
fn a_database_that_cannot_be_attached_is_named() {
    let plain = |attach: Json| json!({"type": "duckdb", "path": "shop.duckdb", "attach": attach});
    let project = project(&plain(json!([{"path": "no/such/folder/x.duckdb"}])));
    project.model("a", "select 1 as x");
    project.run("run").refused().says("there is no folder no/such/folder").says("help: create the folder");
}
