{% materialization table, adapter='duckdb' %}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}

  {%- do dbt.drop_leftovers(target_relation) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- set build_sql = get_create_table_as_sql(False, target_relation, compiled_code) -%}
  {%- set dependents = drop_foreign_key_dependents(existing_relation) -%}
  {% call statement('main') -%}
    {{ dbt.clear_the_way(existing_relation, target_relation, build_sql) }}
  {%- endcall %}
  {%- do restore_foreign_key_dependents(dependents) -%}
  {% do create_indexes(target_relation) %}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation)) %}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
