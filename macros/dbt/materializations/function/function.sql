{#- A function of the project, created or replaced. Kind and language choose the macro that writes its SQL:
    `scalar_function_sql`, for example. -#}
{% materialization function, default, supported_languages=['sql', 'python'] %}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type=this.Function) -%}
  {{ run_hooks(pre_hooks) }}

  {%- set macro_name = this.get_function_macro_name(this.get_function_config(model)) -%}
  {#- By another name, as the search for the macros a macro calls takes `adapter.dispatch` with a plain name only. -#}
  {%- set dispatch_by_name = adapter.dispatch -%}
  {%- set build_sql = dispatch_by_name(macro_name, 'dbt')(target_relation) -%}
  {{ function_execute_build_sql(build_sql, existing_relation, target_relation) }}

  {{ run_hooks(post_hooks) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro function_execute_build_sql(build_sql, existing_relation, target_relation) -%}
  {%- do return(adapter.dispatch('function_execute_build_sql', 'dbt')(build_sql, existing_relation, target_relation)) -%}
{%- endmacro %}

{% macro default__function_execute_build_sql(build_sql, existing_relation, target_relation) -%}
  {% call statement('main') -%}
    {{ build_sql }}
  {%- endcall %}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {{ adapter.commit() }}
{%- endmacro %}

{% macro unsupported_volatility_warning(volatility) -%}
  {%- do return(adapter.dispatch('unsupported_volatility_warning', 'dbt')(volatility)) -%}
{%- endmacro %}

{% macro default__unsupported_volatility_warning(volatility) -%}
  {%- do exceptions.warn(
      'The volatility `' ~ volatility ~ '` of function `' ~ model.name ~ '` is not supported by ' ~ adapter.type() ~ ' and is ignored'
  ) -%}
{%- endmacro %}
