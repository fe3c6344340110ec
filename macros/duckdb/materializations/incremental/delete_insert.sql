{% macro duckdb__get_incremental_default_sql(arg_dict) -%}
  {%- do return(get_incremental_delete_insert_sql(arg_dict)) -%}
{%- endmacro %}

{#- Rows of the target that have a key of the new rows go, the new rows come. Without a key they only come. With
    several keys, predicates may call the target DBT_INCREMENTAL_TARGET. -#}
{% macro duckdb__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
  {%- if unique_key -%}
    {{ dbt.load_indexes_sql(target, dest_columns) }}
    {% if unique_key is string -%}
    delete from {{ target }}
    where ({{ unique_key }}) in (select ({{ unique_key }}) from {{ source }})
    {%- else -%}
    delete from {{ target }} as DBT_INCREMENTAL_TARGET
    using {{ source }} as DBT_INCREMENTAL_SOURCE
    where {% for key in unique_key -%}
      DBT_INCREMENTAL_SOURCE.{{ key }} = DBT_INCREMENTAL_TARGET.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor %}
    {%- endif -%}
    {%- for predicate in normalize_incremental_predicates(incremental_predicates) %}
      and {{ predicate }}
    {%- endfor %};

  {% endif -%}
  {{ get_insert_into_sql(target, source, dest_columns) }}
{%- endmacro %}

{% macro normalize_incremental_predicates(incremental_predicates) -%}
  {%- do return(normalize_string_or_list(incremental_predicates, 'incremental_predicates')) -%}
{%- endmacro %}
