{#- The contract of a model: that its query has the columns and types its YAML promises, and the DDL for them. -#}
{% macro get_table_columns_and_constraints() -%}
  {{ adapter.dispatch('get_table_columns_and_constraints', 'dbt')() }}
{%- endmacro %}

{% macro default__get_table_columns_and_constraints() -%}
  {%- do return(table_columns_and_constraints()) -%}
{%- endmacro %}

{% macro table_columns_and_constraints() -%}
  {%- set columns = adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
  {%- set constraints = adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
  (
    {{ (columns + constraints) | join(',\n    ') }}
  )
{%- endmacro %}

{% macro get_assert_columns_equivalent(sql) -%}
  {{ adapter.dispatch('get_assert_columns_equivalent', 'dbt')(sql) }}
{%- endmacro %}

{% macro default__get_assert_columns_equivalent(sql) -%}
  {%- do return(assert_columns_equivalent(sql)) -%}
{%- endmacro %}

{#- Raises a contract error unless query and YAML have the same columns with the same types, in any order. The
    database names the types of both, so that `int` and `integer` are one type. -#}
{% macro assert_columns_equivalent(sql) -%}
  {%- if not model['columns'] -%}
    {%- do exceptions.raise_contract_error([], []) -%}
  {%- endif -%}
  {%- set sql_columns = format_columns(get_column_schema_from_query(sql, config.get('sql_header', none))) -%}
  {%- set yaml_columns = format_columns(get_column_schema_from_query(get_empty_schema_sql(model['columns']))) -%}
  {%- if promised_columns(sql_columns) != promised_columns(yaml_columns) -%}
    {%- do exceptions.raise_contract_error(yaml_columns, sql_columns) -%}
  {%- endif -%}
{%- endmacro %}

{#- Names as they are written (`formatted` has small letters) and types, in order. -#}
{% macro promised_columns(columns) -%}
  {%- set promised = [] -%}
  {%- for column in columns -%}
    {%- do promised.append(column['name'] ~ ' ' ~ column['formatted']) -%}
  {%- endfor -%}
  {%- do return(promised | sort) -%}
{%- endmacro %}

{% macro format_columns(columns) -%}
  {%- set formatted = [] -%}
  {%- for column in columns -%}
    {%- do formatted.append(adapter.dispatch('format_column', 'dbt')(column)) -%}
  {%- endfor -%}
  {%- do return(formatted) -%}
{%- endmacro %}

{% macro default__format_column(column) -%}
  {%- do return({
      'name': column.name, 'data_type': column.dtype, 'formatted': column.name | lower ~ ' ' ~ column.dtype
  }) -%}
{%- endmacro %}

{% macro get_empty_schema_sql(columns) -%}
  {%- do return(adapter.dispatch('get_empty_schema_sql', 'dbt')(columns)) -%}
{%- endmacro %}

{#- A query of nulls with the names and types that the YAML promises. -#}
{% macro default__get_empty_schema_sql(columns) -%}
  {%- set untyped = [] -%}
  {%- set naked_numeric = [] -%}
  {%- set selected = [] -%}
  {%- for column in columns.values() -%}
    {%- if not column.get('data_type') -%}
      {%- do untyped.append(column['name']) -%}
    {%- else -%}
      {%- if column['data_type'] | trim | lower in ['numeric', 'decimal', 'number'] -%}
        {%- do naked_numeric.append(column['name']) -%}
      {%- endif -%}
      {%- set name = adapter.quote(column['name']) if column.get('quote') else column['name'] -%}
      {%- do selected.append((cast('null', column['data_type']) | trim) ~ ' as ' ~ name) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if untyped -%}
    {%- do exceptions.column_type_missing(column_names=untyped) -%}
  {%- endif -%}
  {%- if naked_numeric -%}
    {%- do exceptions.warn(
        'Columns with a numeric type, but without precision and scale, may be rounded: ' ~ naked_numeric | join(', ')
    ) -%}
  {%- endif -%}
  select {{ selected | join(', ') }}
{%- endmacro %}
