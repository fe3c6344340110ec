{#- A snapshot keeps the versions of rows: each has the time from which and to which it was valid, and an id of its
    own. A run stages what changed, closes the versions that are over, and adds the new ones. -#}
{% materialization snapshot, default %}
  {%- set found = get_or_create_relation(
      database=model.database, schema=model.schema, identifier=model.alias, type='table'
  ) -%}
  {%- set target_exists = found[0] -%}
  {%- set target_relation = found[1] -%}
  {%- if not target_relation.is_table -%}
    {%- do exceptions.relation_wrong_type(target_relation, 'table') -%}
  {%- endif -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- set strategy_macro = strategy_dispatch(config.get('strategy')) -%}
  {%- set strategy = strategy_macro(model, 'snapshotted_data', 'source_data', model['config'], target_exists) -%}
  {%- if target_exists -%}
    {%- do adapter.assert_valid_snapshot_target_given_strategy(
        target_relation, dbt.snapshot_column_names(), strategy
    ) -%}
    {%- set staging_table = build_snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- set final_sql = dbt.get_snapshot_merge_sql(strategy, staging_table, target_relation) -%}
    {%- do check_time_data_types('select * from ' ~ staging_table) -%}
  {%- else -%}
    {%- set build_sql = build_snapshot_table(strategy, sql) -%}
    {%- set final_sql = create_table_as(False, target_relation, build_sql) -%}
    {%- do check_time_data_types(build_sql) -%}
  {%- endif -%}
  {% call statement('main') -%}
    {{ final_sql }}
  {%- endcall %}

  {% do apply_grants(
      target_relation, config.get('grants'), should_revoke=should_revoke(target_exists, full_refresh_mode=False)
  ) %}
  {% do persist_docs(target_relation, model) %}
  {% if not target_exists %}
    {% do create_indexes(target_relation) %}
  {% endif %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {% if target_exists %}
    {% do post_snapshot(staging_table) %}
  {% endif %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Gives the target the columns that its query has gained, and returns the SQL that brings the staged rows in. -#}
{% macro get_snapshot_merge_sql(strategy, staging_table, target_relation) -%}
  {%- do adapter.expand_target_column_types(from_relation=staging_table, to_relation=target_relation) -%}
  {%- set staging_only = ['dbt_change_type'] + dbt.snapshot_key_columns(strategy.unique_key).keys() | list -%}
  {%- set columns = adapter.get_columns_in_relation(staging_table) | rejectattr('name', 'in', staging_only) | list -%}
  {%- do create_columns(target_relation, diff_columns(columns, adapter.get_columns_in_relation(target_relation))) -%}

  {%- set quoted = [] -%}
  {%- for column in columns -%}
    {%- do quoted.append(adapter.quote(column.name)) -%}
  {%- endfor -%}
  {%- do return(snapshot_merge_sql(target=target_relation, source=staging_table, insert_cols=quoted)) -%}
{%- endmacro %}

{% macro create_columns(relation, columns) -%}
  {{ adapter.dispatch('create_columns', 'dbt')(relation, columns) }}
{%- endmacro %}

{% macro default__create_columns(relation, columns) -%}
  {%- for column in columns -%}
    {%- call statement() -%}
      alter table {{ relation.render() }} add column {{ adapter.quote(column.name) }} {{ column.expanded_data_type }};
    {%- endcall -%}
  {%- endfor -%}
{%- endmacro %}

{% macro build_snapshot_staging_table(strategy, sql, target_relation) -%}
  {%- set staging_sql = snapshot_staging_table(strategy, sql, target_relation) -%}
  {%- set staging = dbt.snapshot_staging_relation(target_relation) -%}
  {%- call statement('build_snapshot_staging_relation') -%}
    {{ create_table_as(staging.temporary, staging.relation, staging_sql) }}
  {%- endcall -%}
  {%- do return(staging.relation) -%}
{%- endmacro %}

{#- Returns the relation to stage in and whether it is a temporary table. -#}
{% macro snapshot_staging_relation(target_relation) -%}
  {%- do return(adapter.dispatch('snapshot_staging_relation', 'dbt')(target_relation)) -%}
{%- endmacro %}

{% macro default__snapshot_staging_relation(target_relation) -%}
  {%- do return({'relation': make_temp_relation(target_relation), 'temporary': True}) -%}
{%- endmacro %}

{#- After the commit: what is to be done with the staging table. -#}
{% macro post_snapshot(staging_relation) -%}
  {{ adapter.dispatch('post_snapshot', 'dbt')(staging_relation) }}
{%- endmacro %}

{% macro default__post_snapshot(staging_relation) -%}
{%- endmacro %}

{% macro snapshot_merge_sql(target, source, insert_cols) -%}
  {{ adapter.dispatch('snapshot_merge_sql', 'dbt')(target, source, insert_cols) }}
{%- endmacro %}

{% macro default__snapshot_merge_sql(target, source, insert_cols) -%}
  {%- set columns = dbt.snapshot_column_names() -%}
  {%- set insert_columns = insert_cols | join(', ') -%}
  merge into {{ target.render() }} as DBT_INTERNAL_DEST
  using {{ source }} as DBT_INTERNAL_SOURCE
  on DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }} = DBT_INTERNAL_DEST.{{ columns.dbt_scd_id }}
  when matched
    and {{ dbt.snapshot_is_open('DBT_INTERNAL_DEST.' ~ columns.dbt_valid_to) }}
    and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')
    then update set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
  when not matched
    and DBT_INTERNAL_SOURCE.dbt_change_type = 'insert'
    then insert ({{ insert_columns }})
    values ({{ insert_columns }})
{%- endmacro %}
