{#- rbt runs without Python. The macros that dbt has for Python models stay callable by name and say so. -#}
{% macro refuse_python_model() -%}
  {%- do exceptions.raise_compiler_error(
      'Python models are not supported: rbt runs without Python. Write this model in SQL, or disable it with `+enabled: false`'
  ) -%}
{%- endmacro %}

{% macro resolve_model_name(input_model_name) -%}
  {%- do return(adapter.dispatch('resolve_model_name', 'dbt')(input_model_name)) -%}
{%- endmacro %}

{% macro default__resolve_model_name(input_model_name) -%}
  {{ input_model_name | string | replace('"', '\\"') }}
{%- endmacro %}

{% macro build_ref_function(model) -%}
  {%- do dbt.refuse_python_model() -%}
{%- endmacro %}

{% macro build_source_function(model) -%}
  {%- do dbt.refuse_python_model() -%}
{%- endmacro %}

{% macro build_config_dict(model) -%}
  {%- do dbt.refuse_python_model() -%}
{%- endmacro %}

{% macro py_script_postfix(model) -%}
  {%- do dbt.refuse_python_model() -%}
{%- endmacro %}

{% macro py_script_comment() -%}
{%- endmacro %}
