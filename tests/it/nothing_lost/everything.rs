//! A project that has one of everything that leaves something in the database or in files. What it holds depends on the
//! variable `v`, the version.

use crate::support::{Database, Project};

/// Rows of a table.
const ROWS: &str = "20000";

pub fn project() -> Project {
    let project = Project::new();
    project.config(
        "
        on-run-start: ['create table if not exists audit (v integer)']
        on-run-end: [\"create or replace table ended as select {{ var('v') }} as v\"]
        models: {shop: {+persist_docs: {relation: true}}}
        ",
    );
    tables(&project);
    incrementals(&project);
    externals(&project);
    snapshots(&project);
    project
        .yaml(
            "
            models:
              - name: base
                description: what the others are made of
                columns: [{name: id, data_tests: [not_null, unique]}]
            ",
        )
        .test(
            "stored",
            "{{ config(store_failures=true, severity='warn') }} select * from {{ ref('base') }} where id % 3 = 0",
        );
    project
}

/// Files that are others in a version.
pub fn change_files(project: &Project, version: usize) {
    let rows = (0..500).map(|row| format!("{row},{version},\"row {row}\"\n"));
    project.seed("seed", &format!("id,v,text\n{}", rows.collect::<String>()));
}

fn tables(project: &Project) {
    project
        .model("base", &table(&format!("select range as id, {{{{ var('v') }}}} as v from range({ROWS})")))
        .model("plain", &table("select id, v, md5(id::varchar) as text from {{ ref('base') }} order by text"))
        .model("shown", "select id, v + {{ var('v') }} as w from {{ ref('base') }} where id % 2 = 0")
        .model(
            "now_table_now_view",
            "{{ config(materialized='table' if var('v') == 1 else 'view') }} select * from {{ ref('plain') }}",
        )
        .model(
            "now_view_now_table",
            "{{ config(materialized='view' if var('v') == 1 else 'table') }} select * from {{ ref('plain') }}",
        )
        .model(
            "hooked",
            "
            {{ config(
                materialized='table',
                indexes=[{'columns': ['id'], 'unique': true}],
                pre_hook=\"delete from audit where v >= {{ var('v') }}\",
                post_hook=\"insert into audit values ({{ var('v') }})\"
            ) }}
            select * from {{ ref('base') }}
            ",
        );
}

fn table(sql: &str) -> String {
    format!("{{{{ config(materialized='table') }}}} {sql}")
}

fn incrementals(project: &Project) {
    let new_rows =
        format!("select range + 5000 * v as id, v from range({ROWS}), (select {{{{ var('v') }}}} as v)");
    for (name, config) in [
        ("deleted_inserted", "incremental_strategy='delete+insert', unique_key='id'"),
        ("merged", "incremental_strategy='merge', unique_key='id'"),
        ("keyed_twice", "incremental_strategy='delete+insert', unique_key=['id', 'half']"),
        ("synced", "unique_key='id', on_schema_change='sync_all_columns'"),
        ("widened", "unique_key='id', on_schema_change='append_new_columns'"),
    ] {
        let more = "{% if var('v') == 2 %}, 'new' as more{% else %}, 1 as less{% endif %}";
        let more = if config.contains("schema_change") { more } else { "" };
        project.model(
            name,
            &format!(
                "{{{{ config(materialized='incremental', {config}) }}}} select *, id // 2 as half{more} from ({new_rows})"
            ),
        );
    }
    project
        .model(
            "appended",
            &format!(
                "
                {{{{ config(materialized='incremental', incremental_strategy='append') }}}}
                select * from ({new_rows})
                {{% if is_incremental() %}} where v > (select max(v) from {{{{ this }}}}) {{% endif %}}
                "
            ),
        )
        .model(
            "batched",
            "
            {{ config(
                materialized='incremental', incremental_strategy='microbatch', event_time='day', batch_size='day',
                begin='2024-01-01'
            ) }}
            select timestamp '2024-01-01' + to_days((range // 10)::int) as day, range as id from range(50)
            ",
        );
}

fn externals(project: &Project) {
    for format in ["parquet", "csv", "json"] {
        project.model(
            &format!("out_{format}"),
            &format!(
                "{{{{ config(materialized='external', location='out_{format}.{format}') }}}} select * from {{{{ ref('plain') }}}}"
            ),
        );
    }
}

fn snapshots(project: &Project) {
    let source = "
        select id, v, date '2024-01-01' + v::integer as changed_at from {{ ref('base') }}
        where id % 10 = 0 and (v = 1 or id % 3 > 0)
    ";
    for (name, config) in [
        ("by_time", "strategy='timestamp', updated_at='changed_at'"),
        ("by_check", "strategy='check', check_cols=['v']"),
        ("by_time_deleted", "strategy='timestamp', updated_at='changed_at', hard_deletes='new_record'"),
    ] {
        project.snapshot(
            name,
            &format!(
                "{{% snapshot {name} %}}{{{{ config(unique_key='id', {config}) }}}} {source} {{% endsnapshot %}}"
            ),
        );
    }
}

/// Relations of which a part may be old and a part new: batches are built one by one, and so are what hooks write.
pub fn is_built_piecemeal(relation: &str) -> bool {
    ["main.batched", "main.audit"].contains(&relation)
}

/// Columns that are others in every run.
pub fn holds_the_time(relation: &str, column: &str) -> bool {
    (relation.contains(".by_") || relation.ends_with(".versions"))
        && column.starts_with("dbt_")
        && column != "dbt_is_deleted"
}

/// The files of external models that are there.
pub fn external_files(project: &Project) -> Vec<String> {
    let files = ["out_parquet.parquet", "out_csv.csv", "out_json.json"];
    files.into_iter().filter(|path| project.exists(path)).map(str::to_owned).collect()
}

/// What holds at any moment between two relations, or within one.
pub fn check_promises(database: &Database, told: &str) {
    let there = database.relations();
    let exists = |name: &str| there.iter().any(|relation| relation.starts_with(&format!("main.{name} ")));
    if exists("hooked") {
        let (built, noted) =
            (database.lines("select max(v) from hooked"), database.lines("select max(v) from audit"));
        assert_eq!(built, noted, "a hook is part of its model's transaction: {told}");
    }
    if exists("batched") {
        let sizes = database.lines("select distinct count(*) from batched group by day");
        assert!(sizes.is_empty() || sizes == ["10"], "batches are whole: {told}, {sizes:?}");
    }
    for snapshot in ["by_time", "by_check", "by_time_deleted"].into_iter().filter(|name| exists(name)) {
        let open = format!(
            "select count(*) from (select id from {snapshot} where dbt_valid_to is null group by id having count(*) > 1)"
        );
        assert_eq!(database.lines(&open), ["0"], "{snapshot} has one open version of a row: {told}");
    }
}
