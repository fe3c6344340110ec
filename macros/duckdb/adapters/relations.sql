{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
  {%- if language != 'sql' -%}
    {%- do py_write_table(temporary, relation, compiled_code, partitioned_by, sorted_by) -%}
  {%- endif -%}
  {%- set enforced = config.get('contract').enforced -%}
  {%- if enforced -%}
    {{ get_assert_columns_equivalent(compiled_code) }}
  {%- endif -%}
  {%- set layout = duckdb__alter_table_layout(relation, temporary, partitioned_by, sorted_by) -%}
  {{ config.get('sql_header') or '' }}
  {{ dbt.create_or_replace(relation) }} {{ 'temporary ' if temporary }}table {{ relation.include(database=(not temporary), schema=(not temporary)) }}
  {%- if enforced and not temporary %}
  {{ get_table_columns_and_constraints() }};
  {{ layout }}
  insert into {{ relation }} {{ get_column_names() }} (
    {{ get_select_subquery(compiled_code) }}
  );
  {%- elif layout %}
  as (
    select * from (
      {{ compiled_code }}
    ) as model_subq
    limit 0
  );
  {{ layout }}
  insert into {{ relation }} (
    {{ compiled_code }}
  );
  {%- else %}
  as (
    {{ compiled_code }}
  );
  {%- endif %}
{%- endmacro %}

{#- The columns that the YAML declares, in brackets. -#}
{% macro get_column_names() -%}
  ({{ adapter.dispatch('get_column_names', 'dbt')() }})
{%- endmacro %}

{% macro duckdb__create_view_as(relation, sql) -%}
  {%- do return(default__create_view_as(relation, sql)) -%}
{%- endmacro %}

{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
  {%- do dbt.refuse_python_model() -%}
{%- endmacro %}

{#- DuckLake knows no `cascade`. -#}
{% macro duckdb__get_drop_sql(relation) -%}
  drop {{ relation.type }} if exists {{ relation }}{{ ' cascade' if not adapter.is_ducklake(relation) }}
{%- endmacro %}

{% macro duckdb__drop_relation(relation) -%}
  {%- do return(default__drop_relation(relation)) -%}
{%- endmacro %}

{% macro duckdb__rename_relation(from_relation, to_relation) -%}
  {%- call statement('rename_relation') -%}
    alter {{ to_relation.type }} {{ from_relation }} rename to {{ adapter.quote_as_configured(to_relation.identifier, 'identifier') }}
  {%- endcall -%}
{%- endmacro %}

{#- Temporary tables have no database and schema of the project's; a time in the name keeps those of a session apart. -#}
{% macro duckdb__make_temp_relation(base_relation, suffix) -%}
  {%- do return(base_relation.incorporate(path={
      'identifier': base_relation.identifier ~ suffix ~ py_current_timestring(), 'schema': none, 'database': none
  })) -%}
{%- endmacro %}

{#- Returns the relation to stage rows in and whether it is a temporary table. MotherDuck has none on its side, so
    that a table in a schema of its own stands in for it. -#}
{% macro duckdb__dispatch_temporary_relation(target_relation, batch_id='') -%}
  {%- if not adapter.is_motherduck() -%}
    {%- do return({'relation': make_temp_relation(target_relation), 'temporary': true}) -%}
  {%- endif -%}
  {%- set relation = target_relation.incorporate(path=adapter.get_temp_relation_path(target_relation, batch_id)) -%}
  {%- do create_schema(relation) -%}
  {%- if not adapter.disable_transactions() -%}
    {%- do adapter.commit() -%}
  {%- endif -%}
  {%- do return({'relation': relation, 'temporary': false}) -%}
{%- endmacro %}

{% macro duckdb__snapshot_staging_relation(target_relation) -%}
  {%- do return(duckdb__dispatch_temporary_relation(target_relation)) -%}
{%- endmacro %}

{% macro duckdb__apply_grants(relation, grant_config, should_revoke=True) -%}
  {%- if grant_config -%}
    {%- do adapter.warn_once('Grants for relations are not supported by DuckDB') -%}
  {%- endif -%}
{%- endmacro %}
