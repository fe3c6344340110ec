{#- All of it is one transaction: new rows, changed columns and indexes are there together or not at all. The new rows
    are staged before it, as dbt does: of rows with one key DuckDB's merge takes another one where they are not committed. -#}
{% materialization incremental, adapter='duckdb' %}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set rebuild = existing_relation is none or existing_relation.is_view or should_full_refresh() -%}

  {%- do dbt.drop_leftovers(target_relation) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if rebuild -%}
    {%- set build_sql = get_create_table_as_sql(False, target_relation, compiled_code) -%}
    {%- set dependents = drop_foreign_key_dependents(existing_relation) -%}
    {% call statement('main') -%}
      {{ dbt.clear_the_way(existing_relation, target_relation, build_sql) }}
    {%- endcall %}
    {%- do restore_foreign_key_dependents(dependents) -%}
    {%- do create_indexes(target_relation) -%}
  {%- else -%}
    {%- set staging = duckdb__dispatch_temporary_relation(target_relation, adapter.batch_id_for_model(model)) -%}
    {% call statement('create_temp_table', auto_begin=not staging.temporary) -%}
      {{ get_create_table_as_sql(staging.temporary, staging.relation, compiled_code) }}
    {%- endcall %}
    {%- set build_sql = dbt.get_incremental_build_sql(existing_relation, target_relation, staging.relation) -%}
    {% call statement('main') -%}
      {{ build_sql }}
    {%- endcall %}
    {%- do adapter.drop_relation(staging.relation) -%}
  {%- endif -%}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, rebuild)) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
