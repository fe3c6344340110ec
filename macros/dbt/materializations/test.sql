{#- A data test is a query for failing rows. With `store_failures` the rows become a relation first, and the
    verdict is read from that. -#}
{% materialization test, default %}
  {%- set sql_header = config.get('sql_header') if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS else none -%}
  {%- set relations = [] -%}
  {%- set failing_rows -%}
    {{ get_limit_subquery_sql(sql, config.get('limit')) }}
  {%- endset -%}

  {%- if should_store_failures() -%}
    {%- set store_as = config.get('store_failures_as') or 'table' -%}
    {%- if store_as not in ['table', 'view'] -%}
      {%- do exceptions.raise_compiler_error(
          "'" ~ store_as ~ "' is not a valid value for `store_failures_as`. Accepted values are: ['ephemeral', 'table', 'view']"
      ) -%}
    {%- endif -%}
    {%- set old_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type=store_as) -%}
    {% call statement(auto_begin=True) -%}
      {{ sql_header or '' }}
      {{ dbt.clear_the_way(old_relation, target_relation, get_create_sql(target_relation, failing_rows)) }}
    {%- endcall %}
    {{ adapter.commit() }}
    {%- do relations.append(target_relation) -%}
    {%- set failing_rows = 'select * from ' ~ target_relation -%}
  {%- endif -%}

  {#- It only reads, which takes no transaction. -#}
  {% call statement('main', fetch_result=True, auto_begin=False) -%}
    {{ sql_header or '' }}
    {{ get_test_sql(failing_rows, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}
  {%- endcall %}

  {{ return({'relations': relations}) }}
{% endmaterialization %}

{% macro get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
  {{ adapter.dispatch('get_test_sql', 'dbt')(main_sql, fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}

{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
  select
    {{ fail_calc }} as failures,
    {{ fail_calc }} {{ warn_if }} as should_warn,
    {{ fail_calc }} {{ error_if }} as should_error
  from (
    {{ main_sql }}
    {{ 'limit ' ~ limit if limit is not none }}
  ) dbt_internal_test
{%- endmacro %}

{#- What a generic test calls `model`: the relation, narrowed by the test's `where`. -#}
{% macro get_where_subquery(relation) -%}
  {%- do return(adapter.dispatch('get_where_subquery', 'dbt')(relation)) -%}
{%- endmacro %}

{% macro default__get_where_subquery(relation) -%}
  {%- set where = config.get('where') -%}
  {%- do return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery' if where else relation) -%}
{%- endmacro %}
