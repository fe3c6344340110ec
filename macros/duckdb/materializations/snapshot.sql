{#- Closes the versions that are over, then adds the new ones. -#}
{% macro duckdb__snapshot_merge_sql(target, source, insert_cols) -%}
  {%- set columns = dbt.snapshot_column_names() -%}
  {%- set insert_columns = insert_cols | join(', ') -%}
  update {{ target }} as DBT_INTERNAL_TARGET
  set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
  from {{ source }} as DBT_INTERNAL_SOURCE
  where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = DBT_INTERNAL_TARGET.{{ columns.dbt_scd_id }}::text
    and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')
    and {{ dbt.snapshot_is_open('DBT_INTERNAL_TARGET.' ~ columns.dbt_valid_to) }};

  insert into {{ target }} ({{ insert_columns }})
  select {{ insert_columns }}
  from {{ source }}
  where dbt_change_type = 'insert';
{%- endmacro %}

{% macro duckdb__post_snapshot(temporary_relation) -%}
  {%- do drop_relation(temporary_relation) -%}
{%- endmacro %}
