{#- Materialized views: an adapter that has them implements these by dispatch; DuckDB has none. -#}
{% macro materialized_views_unsupported() -%}
  {%- do exceptions.raise_compiler_error(
      'Materialized views are not supported by ' ~ adapter.type() ~ '. Use `materialized: table` or `incremental` instead'
  ) -%}
{%- endmacro %}

{% macro get_create_materialized_view_as_sql(relation, sql) -%}
  {{- adapter.dispatch('get_create_materialized_view_as_sql', 'dbt')(relation, sql) -}}
{%- endmacro %}

{% macro default__get_create_materialized_view_as_sql(relation, sql) -%}
  {%- do dbt.materialized_views_unsupported() -%}
{%- endmacro %}

{% macro get_alter_materialized_view_as_sql(
    relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation
) -%}
  {{- adapter.dispatch('get_alter_materialized_view_as_sql', 'dbt')(
      relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation
  ) -}}
{%- endmacro %}

{% macro default__get_alter_materialized_view_as_sql(
    relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation
) -%}
  {%- do dbt.materialized_views_unsupported() -%}
{%- endmacro %}

{#- Returns what must change for the existing view to have its new configuration, or none. -#}
{% macro get_materialized_view_configuration_changes(existing_relation, new_config) -%}
  {%- do return(adapter.dispatch('get_materialized_view_configuration_changes', 'dbt')(existing_relation, new_config)) -%}
{%- endmacro %}

{% macro default__get_materialized_view_configuration_changes(existing_relation, new_config) -%}
  {%- do dbt.materialized_views_unsupported() -%}
{%- endmacro %}

{% macro refresh_materialized_view(relation) -%}
  {{- adapter.dispatch('refresh_materialized_view', 'dbt')(relation) -}}
{%- endmacro %}

{% macro default__refresh_materialized_view(relation) -%}
  {%- do dbt.materialized_views_unsupported() -%}
{%- endmacro %}
