{#- The name of a type in the database at hand. -#}
{% macro type_string() -%}
  {%- do return(adapter.dispatch('type_string', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_string() -%}
  {%- do return(api.Column.translate_type('string')) -%}
{%- endmacro %}

{% macro type_timestamp() -%}
  {%- do return(adapter.dispatch('type_timestamp', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_timestamp() -%}
  {%- do return(api.Column.translate_type('timestamp')) -%}
{%- endmacro %}

{% macro type_float() -%}
  {%- do return(adapter.dispatch('type_float', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_float() -%}
  {%- do return(api.Column.translate_type('float')) -%}
{%- endmacro %}

{#- With precision and scale, as databases differ in what a bare `numeric` is. -#}
{% macro type_numeric() -%}
  {%- do return(adapter.dispatch('type_numeric', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_numeric() -%}
  {%- do return(api.Column.numeric_type('numeric', 28, 6)) -%}
{%- endmacro %}

{% macro type_bigint() -%}
  {%- do return(adapter.dispatch('type_bigint', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_bigint() -%}
  {%- do return(api.Column.translate_type('bigint')) -%}
{%- endmacro %}

{% macro type_int() -%}
  {%- do return(adapter.dispatch('type_int', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_int() -%}
  {%- do return(api.Column.translate_type('integer')) -%}
{%- endmacro %}

{% macro type_boolean() -%}
  {%- do return(adapter.dispatch('type_boolean', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_boolean() -%}
  {%- do return(api.Column.translate_type('boolean')) -%}
{%- endmacro %}
