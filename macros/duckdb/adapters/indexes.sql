{% macro duckdb__get_create_index_sql(relation, index_dict) -%}
  {%- set index = adapter.parse_index(index_dict) -%}
  create {{ 'unique ' if index.unique }}index "{{ index.render(relation) }}" on {{ relation }} ({{ index.columns | join(', ') }});
{%- endmacro %}

{#- For a project's own materialization: DuckDB renames no table that has indexes. Starts no transaction, so that it may
    run after the commit. -#}
{% macro drop_indexes_on_relation(relation) -%}
  {%- call statement('get_indexes_on_relation', fetch_result=True, auto_begin=False) -%}
    select index_name
    from duckdb_indexes()
    where database_name = '{{ relation.database }}'
      and schema_name = '{{ relation.schema }}'
      and table_name = '{{ relation.identifier }}'
  {%- endcall -%}
  {%- for row in load_result('get_indexes_on_relation').table -%}
    {%- call statement('drop_index', auto_begin=False) -%}
      drop index "{{ relation.database }}"."{{ relation.schema }}"."{{ row[0] }}"
    {%- endcall -%}
  {%- endfor -%}
{%- endmacro %}

{#- A statement that inserts nothing. DuckDB loads a table's indexes from its file when it first inserts; rows that are
    deleted before that stay in them, so that keys that come back would be told as duplicates. DuckLake has none. -#}
{% macro load_indexes_sql(relation, columns) -%}
  {%- if not adapter.is_ducklake(relation) -%}
    {%- set names = get_quoted_csv(columns | map(attribute='name')) -%}
    insert into {{ relation }} ({{ names }}) select {{ names }} from {{ relation }} limit 0;
  {%- endif -%}
{%- endmacro %}
