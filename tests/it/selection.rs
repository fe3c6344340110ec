//! Which nodes a command works on.

use crate::support::Project;

/// `raw` (seed) → `staging/a` (tag nightly), `staging/b` → `mart/c` → `mart/d`; a test on `c`.
fn graph() -> Project {
    let project = Project::new();
    project
        .seed("raw", "x\n1\n")
        .model("staging/a", "{{ config(tags=['nightly']) }} select * from {{ ref('raw') }}")
        .model("staging/b", "select * from {{ ref('raw') }}")
        .model("mart/c", "{{ config(materialized='table') }} select * from {{ ref('a') }} union all select * from {{ ref('b') }}")
        .model("mart/d", "select * from {{ ref('c') }}")
        .yaml("models: [{name: c, columns: [{name: x, data_tests: [not_null]}]}]");
    project
}

#[test]
fn methods_and_operators_select() {
    let project = graph();
    let cases: [(&str, &[&str]); 18] = [
        ("", &["a", "b", "c", "d", "not_null_c_x", "raw"]),
        ("--select a", &["a"]),
        ("--select a b", &["a", "b"]),
        ("--select a+", &["a", "c", "d", "not_null_c_x"]),
        ("--select +c", &["a", "b", "c", "not_null_c_x", "raw"]),
        ("--select 1+c", &["a", "b", "c", "not_null_c_x"]),
        ("--select a+1", &["a", "c", "not_null_c_x"]),
        ("--select +a+ --resource-type model", &["a", "c", "d"]),
        ("--select @a --resource-type model", &["a", "b", "c", "d"]),
        ("--select tag:nightly", &["a"]),
        ("--select path:models/staging", &["a", "b"]),
        ("--select models/staging", &["a", "b"]),
        ("--select staging.*", &["a", "b"]),
        ("--select config.materialized:table", &["c", "not_null_c_x"]),
        ("--select raw+1,tag:nightly", &["a"]),
        ("--select resource_type:seed test_type:generic", &["not_null_c_x", "raw"]),
        ("--select mart --exclude d", &["c", "not_null_c_x"]),
        ("--exclude staging resource_type:test", &["c", "d", "raw"]),
    ];
    for (line, expected) in cases {
        let run = project.run(&format!("ls --quiet --output name {line}")).success();
        let mut lines = run.lines();
        lines.sort();
        assert_eq!(lines, expected, "ls {line}");
    }
}

#[test]
fn a_command_works_on_what_is_selected() {
    let project = graph();
    project.run("build --select +a").success().relations(["main.a view", "main.raw table"]);
    project.run("run --select b c").success().statuses(["b success", "c success"]);
    project.run("test --select c").success().statuses(["not_null_c_x pass"]);
    project.run("build --exclude raw a b").success().statuses([
        "c success",
        "d success",
        "not_null_c_x pass",
    ]);
}

#[test]
fn what_selects_nothing_is_told() {
    graph().run("build --select no_such_model").success().says("no_such_model").statuses([]);
}

#[test]
fn selectors_have_names() {
    let project = graph();
    project.file(
        "selectors.yml",
        "selectors: [{name: night, definition: {union: [{method: tag, value: nightly, children: true}, b]}}]",
    );
    project
        .run("ls --quiet --output name --selector night --resource-type model")
        .success()
        .lists(["a", "b", "c", "d"]);
}

#[test]
fn state_selects_what_changed() {
    let project = graph();
    project.run("parse --target-path before").success();
    project.model("staging/b", "select x + 1 as x from {{ ref('raw') }}");
    project.run("ls --quiet --output name --select state:modified --state before").success().lists(["b"]);
}

/// A shop with something of everything that can be selected.
fn shop() -> Project {
    let project = Project::new();
    project
        .seed("raw_orders", "id,amount\n1,10\n")
        .model("staging/stg_orders", "select * from {{ ref('raw_orders') }}")
        .model("staging/stg_visits", "{{ config(tags='hourly') }} select * from {{ source('web', 'visits') }}")
        .model("marts/orders_v1", "select * from {{ ref('stg_orders') }}")
        .model("marts/orders_v2", "select * from {{ ref('stg_orders') }}")
        .model(
            "marts/totals",
            "{{ config(materialized='table', tags=['nightly', 'finance']) }}
             select o.id, v.id as visit from {{ ref('orders') }} as o join {{ ref('stg_visits') }} as v using (id)",
        )
        .model("marts/spine", "select date '2024-01-01' as on_day")
        .snapshot(
            "history",
            "{% snapshot history %}{{ config(unique_key='id', strategy='check', check_cols='all') }}
             select * from {{ ref('orders', v=1) }}{% endsnapshot %}",
        )
        .test("no_debts", "select * from {{ ref('totals') }} where id < 0")
        .file("analyses/look.sql", "select * from {{ ref('totals') }}")
        .yaml(
            "
            groups: [{name: sales, owner: {name: Ann}}]
            sources:
              - {name: web, schema: main, tables: [{name: visits}, {name: clicks, tags: [hourly]}]}
            models:
              - name: orders
                latest_version: 1
                config: {group: sales, access: public, meta: {owner: ann, pii: true}}
                versions: [{v: 1}, {v: 2}]
                columns: [{name: id, data_tests: [unique]}]
              - name: totals
                columns:
                  - name: id
                    data_tests:
                      - not_null: {config: {severity: warn}}
                      - relationships: {arguments: {to: ref('stg_visits'), field: id}}
              - name: spine
                time_spine: {standard_granularity_column: on_day}
                columns: [{name: on_day, granularity: day}]
            unit_tests:
              - name: sums
                model: orders
                given: [{input: ref('stg_orders'), rows: [{id: 1}]}]
                expect: {rows: [{id: 1}]}
            exposures:
              - name: board
                type: dashboard
                owner: {name: Ann, email: ann@shop.test}
                depends_on: [ref('totals')]
            semantic_models:
              - name: totals
                model: ref('totals')
                defaults: {agg_time_dimension: on_day}
                entities: [{name: id, type: primary}]
                dimensions: [{name: on_day, type: time, type_params: {time_granularity: day}}]
                measures: [{name: amount, agg: sum}]
            metrics:
              - {name: amount, label: Amount, type: simple, type_params: {measure: amount}}
            saved_queries:
              - {name: daily, query_params: {metrics: [amount]}}
            ",
        )
        .file(
            "selectors.yml",
            "
            selectors:
              - name: nightly
                definition: {method: tag, value: nightly, parents: true, parents_depth: 1}
              - name: nightly_models
                definition: {intersection: [{method: selector, value: nightly}, 'resource_type:model']}
              - name: without_staging
                definition:
                  union:
                    - {method: fqn, value: 'shop.*', indirect_selection: empty}
                    - exclude: [{method: path, value: models/staging, children: true}]
              - name: words
                definition: 'tag:hourly+ @stg_orders,config.materialized:view'
              - name: cautious
                definition: {method: fqn, value: stg_visits, children: true, indirect_selection: cautious}
            ",
        );
    project
}

const SELECTIONS: &str = "
--select tag:nightly
--select tag:f*
--select tag:hourly+1
--select source:web
--select source:shop.web.c*
--select source:web.visits+
--select path:models/marts
--select 'models/**/stg_*.sql'
--select marts
--select file:orders_v1.sql
--select file:stg_*
--select fqn:shop.staging.*
--select package:this,resource_type:snapshot
--select config.materialized:table
--select config.meta.pii:true
--select config.meta.owner:a*
--select config.severity:warn
--select config.group:sales
--select group:sales
--select access:public
--select version:latest
--select version:prerelease
--select version:none,resource_type:model
--select orders
--select orders.v2
--select orders_v1+
--select test_type:singular
--select test_type:unit
--select test_type:data
--select test_name:relationships
--select test_name:n*
--select exposure:board
--select 1+exposure:*
--select metric:amount
--select +saved_query:daily,resource_type:metric
--select semantic_model:totals+
--select unit_test:sums
--select +no_debts
--select resource_type:analysis --resource-type analysis
--select 2+totals
--select totals+1
--select @stg_visits
--select '+orders.v1+ --exclude staging'
--select 'tag:nightly,marts tag:hourly'
--select stg_visits
--select stg_visits --indirect-selection cautious
--select stg_visits --indirect-selection empty
--select +totals --indirect-selection buildable
--select stg_visits totals --indirect-selection cautious
--exclude resource_type:test resource_type:unit_test source:* package:shop,resource_type:model
--exclude stg_visits --indirect-selection cautious
--resource-type model --exclude-resource-type test
--exclude-resource-type model --exclude-resource-type test
--resource-type metric --resource-type saved_query
--models +totals
--selector nightly
--selector nightly_models
--selector without_staging
--selector words
--selector cautious
--selector nightly --resource-type test
--select state:new --state before
--select state:modified --state before
--select state:modified.body --state before
--select state:modified.configs+1 --state before
--select state:modified.macros --state before
--select state:modified.relation --state before
--select state:unmodified,path:models/staging --state before
--select state:old,resource_type:seed --state before
";

/// Everything that can be selected in every way. The same test passes with dbt for `RBT_TEST_PROGRAM`.
#[test]
fn selections_are_those_of_dbt() {
    let project = shop();
    project
        .model("staging/clicks", "select {{ twice('1') }} as id")
        .macros("{% macro twice(x) %}{{ x }}{% endmacro %}");
    project.run("parse --target-path before").success();
    project
        .macros("{% macro twice(x) %}2 * {{ x }}{% endmacro %}")
        .model("staging/stg_orders", "select id from {{ ref('raw_orders') }}")
        .model(
            "staging/stg_visits",
            "{{ config(tags='daily', alias='v') }} select * from {{ source('web', 'visits') }}",
        )
        .model("marts/added", "{{ config(materialized='table') }} select 1 as id");
    let mut text = String::new();
    for line in SELECTIONS.lines().filter(|line| !line.is_empty()) {
        let mut listed = project.run(&format!("ls --quiet --output name {line}")).success().lines();
        listed.sort();
        text.push_str(&format!("{line}\n    {}\n", listed.join(" ")));
    }
    insta::with_settings!({ snapshot_path => "texts", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("selections", text);
    });
}
