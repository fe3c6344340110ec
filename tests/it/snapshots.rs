//! Snapshots: versions of rows over time, by both strategies, and what becomes of rows that are gone.

use crate::support::Project;

const VERSIONS: &str = "select id, v, dbt_valid_to is null as open, dbt_valid_to = lead(dbt_valid_from) over (partition by id order by dbt_valid_from) as closed_by_next from versions order by all";

fn snapshot_file(config: &str) -> String {
    format!(
        "{{% snapshot versions %}}
         {{{{ config(unique_key='id', target_schema='main', {config}) }}}}
         select * from {{{{ ref('rows') }}}}
         {{% endsnapshot %}}"
    )
}

/// A snapshot of two rows, taken once.
fn taken(config: &str) -> Project {
    let project = Project::new();
    project.model(
        "rows",
        "select 1 as id, 'old' as v, timestamp '2026-01-01' as changed_at union all select 2, 'old', timestamp '2026-01-01'",
    );
    project.snapshot("versions", &snapshot_file(config));
    project
        .run("build")
        .success()
        .query("select id, v, dbt_valid_to from versions order by all", ["1,old,NULL", "2,old,NULL"]);
    project
}

const ONE_CHANGED: &str = "select 1 as id, 'new' as v, timestamp '2026-01-02' as changed_at union all select 2, 'old', timestamp '2026-01-01'";
const ONE_LEFT: &str = "select 1 as id, 'old' as v, timestamp '2026-01-01' as changed_at";

#[test]
fn timestamp_dates_versions_by_the_row() {
    let project = taken("strategy='timestamp', updated_at='changed_at'");
    project.model("rows", ONE_CHANGED);
    for _ in 0..2 {
        project.run("build").success().query(
            "select id, v, dbt_valid_from, dbt_valid_to, dbt_updated_at from versions order by all",
            [
                "1,new,2026-01-02 00:00:00,NULL,2026-01-02 00:00:00",
                "1,old,2026-01-01 00:00:00,2026-01-02 00:00:00,2026-01-01 00:00:00",
                "2,old,2026-01-01 00:00:00,NULL,2026-01-01 00:00:00",
            ],
        );
    }
}

#[test]
fn timestamp_does_not_look_at_other_columns() {
    let project = taken("strategy='timestamp', updated_at='changed_at'");
    project.model("rows", &ONE_CHANGED.replace("2026-01-02", "2026-01-01")).run("build").success();
    project.run("snapshot").success().query("select id, v from versions order by all", ["1,old", "2,old"]);
}

#[test]
fn check_looks_at_the_columns_it_is_given() {
    for columns in ["['v']", "'all'"] {
        let project = taken(&format!("strategy='check', check_cols={columns}"));
        project.model("rows", ONE_CHANGED);
        for _ in 0..2 {
            let rows = ["1,new,true,NULL", "1,old,false,true", "2,old,true,NULL"];
            project.run("build").success().query(VERSIONS, rows);
        }
    }
}

#[test]
fn check_ignores_other_columns() {
    let project = taken("strategy='check', check_cols=['id']");
    project
        .model("rows", ONE_CHANGED)
        .run("build")
        .success()
        .query(VERSIONS, ["1,old,true,NULL", "2,old,true,NULL"]);
}

#[test]
fn check_sees_a_value_become_null_and_back() {
    let project = taken("strategy='check', check_cols=['v']");
    project.model("rows", &ONE_CHANGED.replace("'new'", "null")).run("build").success();
    project.model("rows", &ONE_CHANGED.replace("'new'", "'old'")).run("build").success();
    let rows = ["1,old,2", "1,NULL,1", "2,old,1"];
    project
        .run("build")
        .success()
        .query("select id, v, count(*) from versions group by all order by all", rows);
}

#[test]
fn rows_that_are_gone_stay_open_by_default() {
    let project = taken("strategy='timestamp', updated_at='changed_at'");
    project
        .model("rows", ONE_LEFT)
        .run("build")
        .success()
        .query(VERSIONS, ["1,old,true,NULL", "2,old,true,NULL"]);
}

#[test]
fn hard_deletes_invalidate_closes_them() {
    for config in ["hard_deletes='invalidate'", "invalidate_hard_deletes=true"] {
        let project = taken(&format!("strategy='timestamp', updated_at='changed_at', {config}"));
        project.model("rows", ONE_LEFT);
        for _ in 0..2 {
            project.run("build").success().query(VERSIONS, ["1,old,true,NULL", "2,old,false,NULL"]);
        }
    }
}

#[test]
fn hard_deletes_new_record_says_so_in_a_version() {
    let deleted = "select id, v, dbt_is_deleted, dbt_valid_to is null from versions order by all";
    let project = taken("strategy='timestamp', updated_at='changed_at', hard_deletes='new_record'");
    project.model("rows", ONE_LEFT);
    for _ in 0..2 {
        let rows = ["1,old,False,true", "2,old,False,false", "2,old,True,true"];
        project.run("build").success().query(deleted, rows);
    }
    project
        .model(
            "rows",
            &ONE_CHANGED.replace("2, 'old', timestamp '2026-01-01'", "2, 'back', timestamp '2050-01-03'"),
        )
        .run("build")
        .success()
        .query(
            deleted,
            [
                "1,new,False,true",
                "1,old,False,false",
                "2,back,False,true",
                "2,old,False,false",
                "2,old,True,false",
            ],
        );
}

#[test]
fn a_row_that_comes_back_starts_a_version() {
    let project = taken("strategy='check', check_cols=['v'], hard_deletes='invalidate'");
    project.model("rows", ONE_LEFT).run("build").success();
    project.model("rows", &ONE_CHANGED.replace("'new'", "'old'")).run("build").success();
    project
        .run("build")
        .success()
        .query(VERSIONS, ["1,old,true,NULL", "2,old,false,false", "2,old,true,NULL"]);
}

#[test]
fn a_key_may_be_several_columns() {
    let project = taken("strategy='check', check_cols=['changed_at']");
    project
        .snapshot(
            "versions",
            &snapshot_file("strategy='check', check_cols=['changed_at']").replace("'id'", "['id', 'v']"),
        )
        .sql("drop table versions");
    project.run("build").success();
    project.model("rows", &format!("{ONE_CHANGED} union all select 2, 'other', timestamp '2026-01-01'"));
    project.run("build").success().query(
        "select id, v, count(*) from versions group by all order by all",
        ["1,new,1", "1,old,1", "2,old,1", "2,other,1"],
    );
}

#[test]
fn columns_of_versions_can_be_named() {
    let project = Project::new();
    project
        .model("rows", "select 1 as id, 'old' as v")
        .file(
            "snapshots/versions.yml",
            "
            snapshots:
              - name: versions
                relation: ref('rows')
                config:
                  unique_key: id
                  strategy: check
                  check_cols: all
                  dbt_valid_to_current: \"timestamp '9999-12-31'\"
                  snapshot_meta_column_names: {dbt_valid_from: since, dbt_valid_to: until}
            ",
        )
        .run("build")
        .success()
        .query("select id, v, until from versions", ["1,old,9999-12-31 00:00:00"]);
    project.model("rows", "select 1 as id, 'new' as v").run("build").success().query(
        "select v, until > now()::timestamp + interval 1 day from versions order by all",
        ["new,true", "old,false"],
    );
}

#[test]
fn new_columns_of_the_source_are_added() {
    let project = taken("strategy='check', check_cols=['v']");
    project.model("rows", "select 1 as id, 'new' as v, timestamp '2026-01-02' as changed_at, 5 as extra");
    project
        .run("build")
        .success()
        .query("select id, v, extra from versions order by all", ["1,new,5", "1,old,NULL", "2,old,NULL"]);
}

#[test]
fn a_full_refresh_keeps_the_history() {
    let project = taken("strategy='timestamp', updated_at='changed_at'");
    project.model("rows", ONE_CHANGED);
    project.run("build --full-refresh").success().query("select count(*) from versions", ["3"]);
}

#[test]
fn a_table_that_is_no_snapshot_is_left_alone() {
    let project = Project::new();
    project
        .model("rows", ONE_LEFT)
        .snapshot("versions", &snapshot_file("strategy='timestamp', updated_at='changed_at'"))
        .sql("create table versions as select 1 as id");
    project.run("build").failure().says("versions").rows("versions", ["1"]);
}

#[test]
fn a_strategy_can_be_named_with_its_package() {
    let project = Project::new();
    project
        .macros(
            "
            {% macro snapshot_newer_strategy(node, snapshotted_rel, current_rel, config, target_exists) %}
              {% do return(snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, config, target_exists)) %}
            {% endmacro %}
            ",
        )
        .snapshot(
            "s",
            "{% snapshot s %}{{ config(unique_key='id', strategy='shop.newer', updated_at='seen') }}
             select 1 as id, timestamp '2026-01-01' as seen{% endsnapshot %}",
        );
    project.run("snapshot").success().query("select id, dbt_valid_to from s", ["1,NULL"]);
}
