{#- The columns that a snapshot adds to its query's, and the expressions they are compared with. -#}
{% macro get_snapshot_table_column_names() -%}
  {%- do return({
      'dbt_valid_to': 'dbt_valid_to',
      'dbt_valid_from': 'dbt_valid_from',
      'dbt_scd_id': 'dbt_scd_id',
      'dbt_updated_at': 'dbt_updated_at',
      'dbt_is_deleted': 'dbt_is_deleted'
  }) -%}
{%- endmacro %}

{#- The names as the snapshot configures them. -#}
{% macro snapshot_column_names() -%}
  {%- do return(config.get('snapshot_table_column_names') or get_snapshot_table_column_names()) -%}
{%- endmacro %}

{#- What stands in `dbt_valid_to` of a version that holds: null, or what `dbt_valid_to_current` says. The nullif
    is always null, in the type of the other times. -#}
{% macro get_dbt_valid_to_current(strategy, columns) -%}
  coalesce(nullif({{ strategy.updated_at }}, {{ strategy.updated_at }}), {{ config.get('dbt_valid_to_current') or 'null' }}) as {{ columns.dbt_valid_to }}
{%- endmacro %}

{#- The condition that a version holds. Null means so as well where `dbt_valid_to_current` was set later. -#}
{% macro snapshot_is_open(valid_to) -%}
  {%- set current = config.get('dbt_valid_to_current') -%}
  {%- if current -%}
    ({{ equals(valid_to | trim, current | trim) | trim }} or {{ valid_to }} is null)
  {%- else -%}
    {{ valid_to }} is null
  {%- endif -%}
{%- endmacro %}

{#- A snapshot's unique key as columns of its queries: a mapping of their names to the key's expressions. -#}
{% macro snapshot_key_columns(unique_key) -%}
  {%- if unique_key is string -%}
    {%- do return({'dbt_unique_key': unique_key}) -%}
  {%- endif -%}
  {%- set columns = {} -%}
  {%- for key in unique_key -%}
    {%- do columns.update({'dbt_unique_key_' ~ loop.index: key}) -%}
  {%- endfor -%}
  {%- do return(columns) -%}
{%- endmacro %}

{% macro unique_key_fields(unique_key) -%}
  {%- for name, key in dbt.snapshot_key_columns(unique_key).items() -%}
    {{ key }} as {{ name }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{% macro unique_key_join_on(unique_key, identifier, from_identifier) -%}
  {%- if unique_key is string -%}
    {{ identifier }}.dbt_unique_key = {{ from_identifier }}.dbt_unique_key
  {%- else -%}
    {%- for name in dbt.snapshot_key_columns(unique_key) -%}
      {{ equals(identifier ~ '.' ~ name, from_identifier ~ '.' ~ name) | trim }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro %}

{% macro unique_key_is_null(unique_key, identifier) -%}
  {{ identifier }}.{{ dbt.snapshot_key_columns(unique_key).keys() | first }} is null
{%- endmacro %}

{% macro unique_key_is_not_null(unique_key, identifier) -%}
  {{ identifier }}.{{ dbt.snapshot_key_columns(unique_key).keys() | first }} is not null
{%- endmacro %}

{% macro get_true_sql() -%}
  {{ adapter.dispatch('get_true_sql', 'dbt')() }}
{%- endmacro %}

{% macro default__get_true_sql() -%}
  {%- do return('TRUE') -%}
{%- endmacro %}

{#- Returns the type of `dbt_updated_at` in the query, or none without such a column. -#}
{% macro get_updated_at_column_data_type(snapshot_sql) -%}
  {%- for column in get_column_schema_from_query(snapshot_sql) if column.column | lower == 'dbt_updated_at' -%}
    {%- do return(column.dtype) -%}
  {%- endfor -%}
  {%- do return(none) -%}
{%- endmacro %}

{#- Warns when the snapshot's time has another type than the rows' own: the two are compared with each other. -#}
{% macro check_time_data_types(sql) -%}
  {%- set updated_at_type = get_updated_at_column_data_type(sql) -%}
  {%- if updated_at_type is not none -%}
    {%- set snapshot_type = get_snapshot_get_time_data_type() -%}
    {%- if snapshot_type is not none and snapshot_type != updated_at_type -%}
      {%- do exceptions.warn_snapshot_timestamp_data_types(snapshot_type, updated_at_type) -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
