{#- An attached SQLite file has the one schema `main`, MySQL takes its schemas from its server. -#}
{% macro duckdb__create_schema(relation) -%}
  {%- set attached -%}
    select type from duckdb_databases()
    where lower(database_name) = '{{ relation.database | lower }}' and type != 'duckdb'
  {%- endset -%}
  {%- set found = run_query(attached) -%}
  {%- set attached_type = found.rows[0][0] if found.rows | length > 0 else 'duckdb' -%}
  {%- if attached_type == 'sqlite' and relation.schema != 'main' -%}
    {%- do exceptions.raise_compiler_error("Schema must be 'main' when writing to sqlite instead got " ~ relation.schema) -%}
  {%- elif attached_type not in ['sqlite', 'mysql'] -%}
    {%- do default__create_schema(relation) -%}
  {%- endif -%}
{%- endmacro %}

{% macro duckdb__drop_schema(relation) -%}
  {%- do default__drop_schema(relation) -%}
{%- endmacro %}

{% macro duckdb__list_schemas(database) -%}
  {%- set sql -%}
    select schema_name
    from system.information_schema.schemata
    {{ "where lower(catalog_name) = '" ~ database | lower ~ "'" if database is not none }}
  {%- endset -%}
  {%- do return(run_query(sql)) -%}
{%- endmacro %}

{% macro duckdb__check_schema_exists(information_schema, schema) -%}
  {%- set sql -%}
    select count(*)
    from system.information_schema.schemata
    where lower(schema_name) = '{{ schema | lower }}'
      and lower(catalog_name) = '{{ information_schema.database | lower }}'
  {%- endset -%}
  {%- do return(run_query(sql)) -%}
{%- endmacro %}

{% macro duckdb__list_relations_without_caching(schema_relation) -%}
  {%- call statement('list_relations_without_caching', fetch_result=True) -%}
    select
      '{{ schema_relation.database }}' as database,
      table_name as name,
      table_schema as schema,
      case table_type when 'VIEW' then 'view' else 'table' end as type
    from system.information_schema.tables
    where lower(table_schema) = '{{ schema_relation.schema | lower }}'
      and lower(table_catalog) = '{{ schema_relation.database | lower }}'
  {%- endcall -%}
  {%- do return(load_result('list_relations_without_caching').table) -%}
{%- endmacro %}
