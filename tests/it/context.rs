//! What templates know: variables, the environment, documentation, the run, packages.

use crate::support::Project;
use serde_json::json;

#[test]
fn vars_come_from_the_project_and_the_command_line() {
    let project = Project::new();
    project.config("vars: {day: monday, shop: {hour: 7}}");
    project.model(
        "a",
        "select '{{ var('day') }}' as d, {{ var('hour') }} as h, '{{ var('minute', 'none') }}' as m",
    );
    project.run("run").success().rows("a", ["monday,7,none"]);
    project.run("run --vars '{day: friday, minute: 5}'").success().rows("a", ["friday,7,5"]);
    project.run("run --vars day:sunday").refused();
}

#[test]
fn the_environment_is_read() {
    let project = Project::new();
    project.model("a", "select '{{ env_var('SHOP', 'nobody') }}' as x");
    project.run("run").success().rows("a", ["nobody"]);
    project.run_with("run", &[("SHOP", "mine")]).success().rows("a", ["mine"]);
}

#[test]
fn secrets_stay_out_of_models_and_logs() {
    let project = Project::new();
    project.model("a", "select '{{ env_var('DBT_ENV_SECRET_KEY') }}' as x");
    project.run_with("run", &[("DBT_ENV_SECRET_KEY", "hush")]).refused().says_nothing_of("hush");
}

#[test]
fn the_profile_reads_the_environment() {
    let project = Project::new();
    let profile =
        project.read("profiles.yml").replace("path: shop.duckdb", "path: \"{{ env_var('FILE') }}\"");
    project.file("profiles.yml", &profile).model("a", "select 1 as x");
    project.run_with("run", &[("FILE", "shop.duckdb")]).success().rows("a", ["1"]);
}

#[test]
fn a_model_knows_its_run() {
    let project = Project::new();
    project.model(
        "a",
        "select '{{ this.name }}' as a, '{{ target.name }}' as b, '{{ target.schema }}' as c, '{{ model.name }}' as d,
            '{{ project_name }}' as e, {{ execute }} as f, '{{ flags.FULL_REFRESH }}' as g, '{{ adapter.type() }}' as h",
    );
    project.run("run").success().rows("a", ["a,dev,main,a,shop,true,False,duckdb"]);
}

#[test]
fn macros_return_values_and_run_queries() {
    let project = Project::new();
    project.macros(
        "
        {% macro names() %}
          {% set found = run_query('select name from (values (\\'a\\'), (\\'b\\')) as t (name) order by name') %}
          {{ return(found.columns[0].values() if execute else []) }}
        {% endmacro %}
        ",
    );
    project.model(
        "m",
        "select {% for name in names() %}'{{ name }}' as {{ name }}{{ ', ' if not loop.last }}{% endfor %}",
    );
    project.run("run").success().rows("m", ["a,b"]);
}

#[test]
fn macros_are_dispatched_by_adapter() {
    let project = Project::new();
    project.macros(
        "
        {% macro number() %}{{ return(adapter.dispatch('number', 'shop')()) }}{% endmacro %}
        {% macro default__number() %}1{% endmacro %}
        {% macro duckdb__number() %}2{% endmacro %}
        ",
    );
    project.model("m", "select {{ number() }} as x, {{ dbt.string_literal('a') }} as s");
    project.run("run").success().rows("m", ["2,a"]);
}

#[test]
fn the_adapter_tells_the_configuration() {
    let project = Project::new();
    project.config("quoting: {identifier: false}");
    project.model(
        "m",
        "select '{{ adapter.config.quoting.database }}' as a, '{{ adapter.config.quoting.identifier }}' as b,
            '{{ adapter.config.project_name }}' as c, '{{ adapter.config.credentials.type }}' as d",
    );
    project.run("run").success().rows("m", ["True,False,shop,duckdb"]);
}

#[test]
fn docs_blocks_become_descriptions() {
    let project = Project::new();
    project
        .model("a", "select 1 as x")
        .file("models/docs.md", "{% docs x %}The *number*.{% enddocs %}")
        .yaml(
            "models: [{name: a, description: All., columns: [{name: x, description: \"{{ doc('x') }}\"}]}]",
        );
    let run =
        project.run("parse").success().has("manifest.json", "/nodes/model.shop.a/description", json!("All."));
    run.has("manifest.json", "/nodes/model.shop.a/columns/x/description", json!("The *number*."));
}

#[test]
fn descriptions_can_be_kept_in_the_database() {
    let project = Project::new();
    project
        .model("a", "{{ config(materialized='table', persist_docs={'relation': true, 'columns': true}) }} select 1 as x")
        .yaml("models: [{name: a, description: \"It's all.\", columns: [{name: x, description: The number}]}]");
    project
        .run("run")
        .success()
        .query("select comment from duckdb_tables()", ["It's all."])
        .query("select comment from duckdb_columns() where table_name = 'a'", ["The number"]);
}

#[test]
fn contracts_are_held() {
    let project = Project::new();
    let yaml = "models: [{name: a, config: {materialized: table, contract: {enforced: true}}, columns: [{name: x, data_type: integer}]}]";
    project.yaml(yaml).model("a", "select 1 as x").run("run").success();
    project.model("a", "select 'one' as x").run("run").failure().says("contract").rows("a", ["1"]);
}

#[test]
fn packages_of_the_disk_are_used() {
    let project = Project::new();
    project
        .file("lib/dbt_project.yml", "name: lib\nversion: '1.0'\nvars: {times: 3}\n")
        .file("lib/macros/times.sql", "{% macro times(x) %}{{ x }} * 3{% endmacro %}")
        .file("lib/models/base.sql", "select {{ var('times') }} - 1 as x")
        .file("packages.yml", "packages: [{local: lib}]")
        .model("a", "select {{ lib.times('x') }} as y from {{ ref('lib', 'base') }}");
    project.run("deps").success();
    project.run("build").success().rows("a", ["6"]).statuses(["a success", "base success"]);
}

#[test]
fn packages_and_their_macros_are_in_the_context() {
    let project = Project::new();
    project
        .macros("{% macro one() %}1{% endmacro %}")
        .model("a", "select {{ 'shop' in context and 'one' in context['shop'] and 'two' not in shop }} as x");
    project.run("run").success().rows("a", ["true"]);
}

#[test]
fn a_model_may_ask_for_anything_while_it_is_parsed() {
    let project = Project::new();
    project.model("a", "select 1 as x");
    project.model(
        "b",
        "{% set first = load_result('nothing').table.columns[0].values() %}
        {% set deep = none.a.b('x').c or model.meta.d.e or {}.f.g or target.h.i or 'text'.j() or missing.k() %}
        select {{ deep or 2 }} as x from {{ ref('a') }}",
    );
    project.run("parse").success();
    project.run("run --select b").failure().says("'load_result('nothing').table' is undefined");

    let strict = Project::new();
    strict.macros("{% macro m() %}{{ none.a.b }}{% endmacro %}").model("a", "select 1 as x {{ m() }}");
    strict.run("parse").refused().says("'none.a' is undefined");
}

#[test]
fn query_results_print_as_pythons_values() {
    let project = Project::new();
    project.model(
        "a",
        "{% set found = run_query(\"select 1.50::decimal(5, 2) as d, {'k': [1, 2]} as s, null as n, 1 as a, 2 as b, 3 as c\") %}
        {% if execute %}
        select '{{ found.columns['d'].values()[0] }}' as d, '{{ found.rows[0]['s'] }}' as s,
            $${{ found.rows[0] }}$$ as r, {{ found.rows[0][0] * 2 }} as twice
        {% endif %}",
    );
    project
        .run("run")
        .success()
        .query("select d, s, twice from a", ["1.50,{\"k\": [1, 2]},3.00"])
        .query("select r from a", ["<agate.Row: (Decimal('1.50'), '{\"k\": [1, 2]}', None, 1, 2, ...)>"]);
}

#[test]
fn packages_find_the_projects_configuration_and_keep_things_in_the_graph() {
    let project = Project::new();
    project.config("version: '1.2'\nvars: {day: monday}");
    project.macros(
        "
        {% macro note(name) %}{% do graph.setdefault('noted', []).append(name) %}{% endmacro %}
        {% macro tell(results) %}
          {% set conf = builtins.ref.config %}
          {% do log('noted ' ~ graph['noted'] ~ ' of ' ~ conf.project_name ~ ' ' ~ conf.dependencies['shop'].version
              ~ ' ' ~ conf.vars.to_dict(), info=true) %}
          {% do log(results[0].status ~ ' ' ~ results[0].node.to_dict()['name'] ~ ' '
              ~ (results[0].timing | map(attribute='name') | list), info=true) %}
        {% endmacro %}
        ",
    );
    project.config("on-run-end: '{{ tell(results) }}'");
    project.model("a", "{% if execute %}{{ note('a') }}{% endif %}select 1 as x");
    project
        .run("run")
        .success()
        .says("noted ['a'] of shop 1.2 {'day': 'monday'}")
        .says("success a ['compile', 'execute']");
}

#[test]
fn what_dicts_give_prints_as_in_python() {
    let project = Project::new();
    project.model(
        "a",
        "{% set d = {'a': 1, 'b': 2} %}
        {% set kept = [] %}{% for key in d.keys() - {'a': 0}.keys() %}{% do kept.append(key) %}{% endfor %}
        select $${{ d.keys() }} {{ d.values() }} {{ d.items() }}$$ as printed, $${{ kept }} {{ d.keys() | list }}$$ as used,
            $${{ d.keys() is sequence }} {{ d.keys() | length }} {{ 'a' in d.keys() }}$$ as asked",
    );
    project
        .run("run")
        .success()
        .query(
            "select printed from a",
            ["dict_keys(['a', 'b']) dict_values([1, 2]) dict_items([('a', 1), ('b', 2)])"],
        )
        .query("select used from a", ["['b'] ['a', 'b']"])
        .query("select asked from a", ["False 2 True"]);
}

#[test]
fn the_model_has_only_the_fields_that_are_set() {
    let project = Project::new();
    project.config("models: {+meta: {nothing: null}}");
    project.model(
        "a",
        "{{ config(own=none) }}select $${{ model.version is defined }} {{ model.group is none }} {{ model.get('patch_path', 'none') }}
        {{- ' ' ~ ('alias' in model.config) ~ ('own' in model.config) ~ ('nothing' in model.config.meta) }}$$ as x,
        $${{ graph.keys() | list }}$$ as kinds, $${{ builtins.var('y', 'z') }}$$ as y",
    );
    project
        .run("run")
        .success()
        .query("select x, y from a", ["False False none FalseTrueTrue,z"])
        .query(
            "select kinds from a",
            ["['exposures', 'functions', 'groups', 'metrics', 'nodes', 'sources', 'semantic_models', 'saved_queries']"],
        );
}

#[test]
fn what_has_no_form_in_json_is_refused() {
    let project = Project::new();
    project.model("a", "select '{{ tojson({'day': modules.datetime.date(2020, 3, 1)}, 'default') }}' as x");
    project.run("parse").refused().says("is not JSON serializable");
}
