{% materialization incremental, default %}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set full_refresh = should_full_refresh() -%}
  {%- set rebuild = existing_relation is none or existing_relation.is_view or full_refresh -%}

  {%- do dbt.drop_leftovers(target_relation) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if rebuild -%}
    {%- set build_sql = dbt.clear_the_way(
        existing_relation, target_relation, get_create_table_as_sql(False, target_relation, sql)
    ) -%}
  {%- else -%}
    {%- set temp_relation = make_temp_relation(target_relation) -%}
    {%- do run_query(get_create_table_as_sql(True, temp_relation, sql)) -%}
    {%- if not config.get('contract').enforced -%}
      {%- do adapter.expand_target_column_types(from_relation=temp_relation, to_relation=target_relation) -%}
    {%- endif -%}
    {%- set build_sql = dbt.get_incremental_build_sql(existing_relation, target_relation, temp_relation) -%}
  {%- endif -%}
  {% call statement('main') -%}
    {{ build_sql }}
  {%- endcall %}
  {%- if rebuild -%}
    {%- do create_indexes(target_relation) -%}
  {%- else -%}
    {%- do adapter.drop_relation(temp_relation) -%}
  {%- endif -%}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, rebuild)) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Brings the target's columns in line with the new rows in `temp_relation`, as `on_schema_change` says, and
    returns the SQL of the model's incremental strategy that adds the rows. -#}
{% macro get_incremental_build_sql(existing_relation, target_relation, temp_relation) -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- set dest_columns = process_schema_changes(on_schema_change, temp_relation, existing_relation) -%}
  {%- set strategy = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}
  {%- do return(strategy({
      'target_relation': target_relation,
      'temp_relation': temp_relation,
      'unique_key': config.get('unique_key'),
      'dest_columns': dest_columns or adapter.get_columns_in_relation(existing_relation),
      'incremental_predicates': config.get('predicates') or config.get('incremental_predicates')
  })) -%}
{%- endmacro %}

{#- Whether this run adds to a table that is there, for a model to ask while it compiles. -#}
{% macro is_incremental() -%}
  {%- if not execute -%}
    {%- do return(False) -%}
  {%- endif -%}
  {%- if model.config.materialized != 'incremental' or should_full_refresh() -%}
    {%- do return(False) -%}
  {%- endif -%}
  {%- set relation = adapter.get_relation(this.database, this.schema, this.table) -%}
  {%- do return(relation is not none and relation.type == 'table') -%}
{%- endmacro %}
