{% macro duckdb__get_binding_char() -%}
  {%- do return(adapter.get_binding_char()) -%}
{%- endmacro %}

{% macro duckdb__get_batch_size() -%}
  {%- do return(10000) -%}
{%- endmacro %}

{#- The rows of before make way for those of the file, in the indexes too. -#}
{% macro duckdb__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
  {%- if not full_refresh -%}
    {%- set sql = dbt.load_indexes_sql(old_relation, adapter.get_columns_in_relation(old_relation)) | trim -%}
    {%- if sql -%}
      {%- do run_query(sql) -%}
    {%- endif -%}
  {%- endif -%}
  {%- do return(default__reset_csv_table(model, full_refresh, old_relation, agate_table)) -%}
{%- endmacro %}

{#- DuckDB reads the file itself; with `fast: false` its rows are inserted as values. -#}
{% macro duckdb__load_csv_rows(model, agate_table) -%}
  {%- if not config.get('fast', true) -%}
    {%- do return(default__load_csv_rows(model, adapter.convert_datetimes_to_strs(agate_table))) -%}
  {%- endif -%}
  {%- set sql -%}
    copy {{ this.render() }} from '{{ adapter.get_seed_file_path(model) | replace("'", "''") }}' (format csv, header true, delimiter '{{ config.get('delimiter', ',') }}')
  {%- endset -%}
  {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
  {%- do return(sql) -%}
{%- endmacro %}
