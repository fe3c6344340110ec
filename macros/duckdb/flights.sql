{#- The name of the MotherDuck flight that runs a Python model. -#}
{% macro flight_name(parsed_model) -%}
  {%- do return(adapter.dispatch('flight_name', 'dbt')(parsed_model)) -%}
{%- endmacro %}

{% macro default__flight_name(parsed_model) -%}
  {%- do return(duckdb__flight_name(parsed_model)) -%}
{%- endmacro %}

{% macro duckdb__flight_name(parsed_model) -%}
  {%- set parts = ['dbt'] -%}
  {%- for key in ['package_name', 'database', 'schema'] if parsed_model.get(key) -%}
    {%- do parts.append(parsed_model.get(key)) -%}
  {%- endfor -%}
  {%- do parts.append(parsed_model.get('alias') or parsed_model.get('name')) -%}
  {%- do return(parts | join('-')) -%}
{%- endmacro %}
