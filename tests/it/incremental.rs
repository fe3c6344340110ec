//! Incremental models: how new rows join the old ones, and what becomes of new and lost columns.

use crate::support::Project;

/// An incremental model that reads the rows of the seed-like model `source`, with this configuration.
fn incremental(config: &str) -> Project {
    let project = Project::new();
    project
        .model(
            "rows",
            "{{ config(materialized='table') }} select 1 as id, 'old' as v union all select 2, 'old'",
        )
        .model(
            "a",
            &format!(
                "{{{{ config(materialized='incremental'{config}) }}}} select * from {{{{ ref('rows') }}}}"
            ),
        );
    project.run("run").success().rows("a", ["1,old", "2,old"]);
    project
}

const NEW_ROWS: &str =
    "{{ config(materialized='table') }} select 2 as id, 'new' as v union all select 3, 'new'";

#[test]
fn without_a_key_rows_are_appended() {
    let project = incremental("");
    project.model("rows", NEW_ROWS).run("run").success().rows("a", ["1,old", "2,new", "2,old", "3,new"]);
}

#[test]
fn append_ignores_the_key() {
    let project = incremental(", incremental_strategy='append', unique_key='id'");
    project.model("rows", NEW_ROWS).run("run").success().rows("a", ["1,old", "2,new", "2,old", "3,new"]);
}

#[test]
fn a_key_replaces_rows() {
    let project = incremental(", unique_key='id'");
    project.model("rows", NEW_ROWS).run("run").success().rows("a", ["1,old", "2,new", "3,new"]);
}

#[test]
fn delete_insert_replaces_rows() {
    let project = incremental(", incremental_strategy='delete+insert', unique_key='id'");
    project.model("rows", NEW_ROWS).run("run").success().rows("a", ["1,old", "2,new", "3,new"]);
}

#[test]
fn a_key_may_be_several_columns() {
    for strategy in ["delete+insert", "merge"] {
        let project = incremental(&format!(", incremental_strategy='{strategy}', unique_key=['id', 'v']"));
        project
            .model(
                "rows",
                "{{ config(materialized='table') }} select 1 as id, 'old' as v union all select 1, 'new'",
            )
            .run("run")
            .success()
            .rows("a", ["1,new", "1,old", "2,old"]);
    }
}

#[test]
fn merge_updates_and_inserts() {
    let project = incremental(", incremental_strategy='merge', unique_key='id'");
    project.model("rows", NEW_ROWS).run("run").success().rows("a", ["1,old", "2,new", "3,new"]);
}

#[test]
fn merge_can_leave_columns_alone() {
    for option in ["merge_exclude_columns=['v']", "merge_update_columns=['id']"] {
        let project = incremental(&format!(", incremental_strategy='merge', unique_key='id', {option}"));
        project.model("rows", NEW_ROWS).run("run").success().rows("a", ["1,old", "2,old", "3,new"]);
    }
}

#[test]
fn predicates_narrow_what_is_replaced() {
    let project = incremental(
        ", incremental_strategy='delete+insert', unique_key='id', incremental_predicates=['id > 2']",
    );
    project.model("rows", NEW_ROWS).run("run").success().rows("a", ["1,old", "2,new", "2,old", "3,new"]);
}

#[test]
fn is_incremental_knows_the_first_run_and_full_refresh() {
    let project = Project::new();
    project.model(
        "a",
        "{{ config(materialized='incremental') }}
         select {% if is_incremental() %} (select max(x) + 1 from {{ this }}) {% else %} 0 {% endif %} as x",
    );
    project.run("run").success().rows("a", ["0"]);
    project.run("run").success().rows("a", ["0", "1"]);
    project.run("run --full-refresh").success().rows("a", ["0"]);
}

#[test]
fn a_model_can_refuse_full_refresh() {
    let project = Project::new();
    project.model("a", "{{ config(materialized='incremental', full_refresh=false) }} select 1 as x");
    project.run("run").success();
    project.run("run --full-refresh").success().rows("a", ["1", "1"]);
}

#[test]
fn a_view_in_the_way_becomes_the_table() {
    let project = Project::new();
    project.model("a", "select 1 as x").run("run").success();
    project.model("a", "{{ config(materialized='incremental') }} select 2 as x");
    project.run("run").success().rows("a", ["2"]).relations(["main.a table"]);
}

/// The first run has the columns `id` and `v`, the second `id` and `w`.
fn changed_columns(on_schema_change: &str) -> Project {
    let project = incremental(&format!(", unique_key='id', on_schema_change='{on_schema_change}'"));
    project.model("rows", "{{ config(materialized='table') }} select 2 as id, 'new' as v, 7 as w");
    project
}

#[test]
fn new_columns_are_ignored_by_default() {
    changed_columns("ignore")
        .run("run")
        .success()
        .rows("a", ["1,old", "2,new"])
        .columns("a", "id INTEGER, v VARCHAR");
}

#[test]
fn new_columns_are_appended() {
    changed_columns("append_new_columns")
        .run("run")
        .success()
        .rows("a", ["1,old,NULL", "2,new,7"])
        .columns("a", "id INTEGER, v VARCHAR, w INTEGER");
}

#[test]
fn append_new_columns_keeps_lost_ones() {
    let project = changed_columns("append_new_columns");
    project.model("rows", "{{ config(materialized='table') }} select 2 as id, 7 as w");
    project.run("run").success().rows("a", ["1,old,NULL", "2,NULL,7"]);
}

#[test]
fn sync_all_columns_drops_lost_ones() {
    let project = changed_columns("sync_all_columns");
    project.model("rows", "{{ config(materialized='table') }} select 2 as id, 7 as w");
    project.run("run").success().rows("a", ["1,NULL", "2,7"]).columns("a", "id INTEGER, w INTEGER");
}

#[test]
fn sync_all_columns_changes_types() {
    let project = changed_columns("sync_all_columns");
    project.model("rows", "{{ config(materialized='table') }} select 2::bigint as id, 'new' as v");
    project.run("run").success().rows("a", ["1,old", "2,new"]).columns("a", "id BIGINT, v VARCHAR");
}

#[test]
fn fail_refuses_other_columns_and_keeps_the_table() {
    changed_columns("fail")
        .run("run --select a rows")
        .failure()
        .says("on_schema_change")
        .rows("a", ["1,old", "2,old"])
        .relations(["main.a table", "main.rows table"]);
}

#[test]
fn a_failing_increment_leaves_no_trace() {
    let project = incremental(", unique_key='id'");
    project
        .model("rows", "{{ config(materialized='table') }} select 2 as id, error('boom') as v where false");
    project
        .model(
            "a",
            "{{ config(materialized='incremental', unique_key='id') }} select 2 as id, error('boom') as v",
        )
        .run("run --select a")
        .failure()
        .rows("a", ["1,old", "2,old"])
        .relations(["main.a table", "main.rows table"]);
}

#[test]
fn an_unknown_strategy_is_an_error() {
    let project = incremental("");
    project.model(
        "a",
        "{{ config(materialized='incremental', incremental_strategy='upsert') }} select 1 as id, 'x' as v",
    );
    project.run("run --select a").failure().says("upsert").rows("a", ["1,old", "2,old"]);
}

#[test]
fn a_strategy_of_the_project_is_found() {
    let project = incremental("");
    project
        .macros(
            "
            {% macro get_incremental_keep_first_sql(args) %}
              insert into {{ args.target_relation }}
              select * from {{ args.temp_relation }}
              where {{ args.unique_key }} not in (select {{ args.unique_key }} from {{ args.target_relation }})
            {% endmacro %}
            ",
        )
        .model("rows", NEW_ROWS)
        .model(
            "a",
            "{{ config(materialized='incremental', incremental_strategy='keep_first', unique_key='id') }}
             select * from {{ ref('rows') }}",
        );
    project.run("run").success().rows("a", ["1,old", "2,old", "3,new"]);
}

#[test]
fn rows_of_a_unique_index_can_be_replaced() {
    let project = Project::new();
    project.model(
        "a",
        "{{ config(materialized='incremental', unique_key='id', indexes=[{'columns': ['id'], 'unique': true}]) }}
         select 1 as id, '{{ var('v') }}' as v",
    );
    project.run("run --vars '{v: old}'").success();
    project.run("run --vars '{v: new}'").success().rows("a", ["1,new"]);
}

#[test]
fn columns_are_quoted_as_the_project_says() {
    let project = Project::new();
    project.config("quoting: {identifier: false}").model(
        "a",
        "{{ config(materialized='incremental', on_schema_change='append_new_columns') }}
         select 1 as id {% if is_incremental() %}, 2 as \"two words\"{% endif %}",
    );
    project.run("run").success();
    project.run("run").failure().columns("a", "id INTEGER");
}

#[test]
fn a_batch_that_fails_says_why() {
    let project = Project::new();
    project
        .model(
            "events",
            "{{ config(event_time='seen') }}
             select timestamp '2026-01-01 10:00' as seen, '1' as id union all select timestamp '2026-01-02 10:00', 'x'",
        )
        .model(
            "a",
            "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='day',
                begin='2026-01-01') }}
             select seen, id::integer as id from {{ ref('events') }}",
        );
    project
        .run("run --event-time-start 2026-01-01 --event-time-end 2026-01-03")
        .failure()
        .says("START sql microbatch model main.a")
        .says("Failure in batch 2026-01-02 of main.a")
        .says("Could not convert string 'x'")
        .query("select id from a", ["1"])
        .statuses(["a partial success", "events success"]);
}

#[test]
fn a_first_build_creates_and_a_later_one_replaces() {
    let project = Project::new();
    project.model("a", "{{ config(materialized='table') }} select 1 as id");
    project.run("run").success();
    let text = |project: &Project| project.read("target/run/shop/models/a.sql");
    assert!(!text(&project).contains("or replace"), "{}", text(&project));
    project.run("run").success().rows("a", ["1"]);
    assert!(text(&project).contains("create or replace table"), "{}", text(&project));
}

#[test]
fn what_a_run_of_dbt_left_beside_a_relation_goes() {
    let project = Project::new();
    project.model("a", "{{ config(materialized='table') }} select 1 as id").model("b", "select 2 as id");
    project
        .sql("create table a__dbt_tmp as select 7 as id")
        .sql("create view b__dbt_backup as select 8 as id");
    project.run("run").success().relations(["main.a table", "main.b view"]);
}

#[test]
fn of_new_rows_with_one_key_merge_takes_the_first() {
    let project = Project::new();
    project.model(
        "a",
        "
        {{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}
        select * from (values (1, 1, 'a'), (2, 1, 'b'), (3, 1, 'c')) as rows(id, v, n)
        {% if is_incremental() %}
        where false
        union all
        select * from (values (2, 2, 'first'), (2, 3, 'second'), (3, 2, null), (4, 2, 'd')) as rows(id, v, n)
        {% endif %}
        ",
    );
    project.run("run").success();
    project.run("run").success().rows("a", ["1,1,a", "2,2,first", "3,2,NULL", "4,2,d"]);
}

/// The first batch makes the table and runs the hooks before, the last one those after; neither has company.
#[test]
fn batches_between_the_first_and_the_last_run_side_by_side() {
    let project = Project::new();
    let days = "select date '2026-01-01' + cast(n as integer) as seen, n from range(8) as days (n)";
    project.model("days", &format!("{{{{ config(event_time='seen') }}}} {days}")).model(
        "a",
        "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='day', begin='2026-01-01') }}
         select * from {{ ref('days') }}",
    );
    let range = "--event-time-start 2026-01-01 --event-time-end 2026-01-09";
    let how = |project: &Project| -> Vec<String> {
        let log = project.read("logs/dbt.log");
        let ways = log.lines().filter_map(|line| line.split_once(" is being run "));
        ways.map(|(_, way)| way.to_owned()).collect()
    };
    project
        .run(&format!("run {range}"))
        .success()
        .query("select count(*), sum(n), max(seen) from a", ["8,28,2026-01-08"]);
    let expected = |middle: &'static str| [&["sequentially"][..], &[middle; 6], &["sequentially"]].concat();
    assert_eq!(how(&project), expected("concurrently"));
    for alone in ["config(concurrent_batches=false)", "this"] {
        project.remove("logs/dbt.log");
        let text =
            project.read("models/a.sql").replace("select *", &format!("select /* {{{{ {alone} }}}} */ *"));
        project.file("models/a.sql", &text);
        project.run(&format!("run {range}")).success().query("select count(*), sum(n) from a", ["8,28"]);
        assert_eq!(how(&project), expected("sequentially"));
    }
}
