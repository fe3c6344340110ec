{#- A function of a project is a macro of DuckDB: an expression that takes the place of the call. A body that is a
    query is one value of it. -#}
{% macro duckdb__scalar_function_create_replace_signature_sql(target_relation) -%}
  {%- if model.config.get('volatility') -%}
    {%- do unsupported_volatility_warning(model.config.get('volatility')) -%}
  {%- endif -%}
  create or replace function {{ target_relation.render() }} ({{ formatted_scalar_function_args_sql() }}) as
{%- endmacro %}

{#- Names without types: a database file knows typed parameters only if it was created for DuckDB 1.4 or later. -#}
{% macro duckdb__formatted_scalar_function_args_sql() -%}
  {%- for argument in model.arguments -%}
    {%- set default = argument.get('default_value') -%}
    {{ argument.name }}{{ ' := ' ~ default if default is not none }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{% macro duckdb__scalar_function_body_sql() -%}
  cast((
    {{ model.compiled_code }}
  ) as {{ model.returns.data_type }})
{%- endmacro %}
