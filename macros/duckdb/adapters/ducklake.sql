{#- How DuckLake lays out a table's files: `partitioned_by` (or `partition_by`) and `sorted_by` (or `sort_by`). Both are
    set on the empty table, so that its rows are written that way. -#}
{% macro duckdb__alter_table_layout(relation, temporary, partitioned_by, sorted_by) -%}
  {%- set partitioned_by = partitioned_by or duckdb__get_partitioned_by(relation, temporary) -%}
  {%- set sorted_by = sorted_by or duckdb__get_sorted_by(relation, temporary) -%}
  {%- if partitioned_by -%}
    {{ duckdb__alter_table_set_partitioned_by(relation, partitioned_by) }}
  {% endif -%}
  {%- if sorted_by -%}
    {{ duckdb__alter_table_set_sorted_by(relation, sorted_by) }}
  {%- endif -%}
{%- endmacro %}

{#- Returns the expressions to partition the relation by, joined, or none. -#}
{% macro duckdb__get_partitioned_by(relation, temporary) -%}
  {%- set partitioned_by = config.get('partitioned_by') -%}
  {%- set columns = duckdb__get_layout_columns(
      relation, temporary, config.get('partition_by') if partitioned_by in [none, ''] else partitioned_by, 'partitioned_by/partition_by'
  ) -%}
  {%- do return(columns | join(', ') if columns else none) -%}
{%- endmacro %}

{#- Returns the quoted columns to sort the relation by, joined, or none. -#}
{% macro duckdb__get_sorted_by(relation, temporary) -%}
  {%- set sorted_by = config.get('sorted_by') -%}
  {%- set columns = duckdb__get_layout_columns(
      relation, temporary, config.get('sort_by') if sorted_by is none else sorted_by, 'sorted_by/sort_by'
  ) -%}
  {%- set quoted = [] -%}
  {%- for column in columns -%}
    {%- do quoted.append(adapter.quote(column | replace('"', '""'))) -%}
  {%- endfor -%}
  {%- do return(quoted | join(', ') if quoted else none) -%}
{%- endmacro %}

{#- Returns the configured columns as a list if they apply to the relation: a table of DuckLake, and the model's own
    and not one beside it. -#}
{% macro duckdb__get_layout_columns(relation, temporary, configured, config_name) -%}
  {%- if temporary or configured in [none, ''] -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- set columns = normalize_string_or_list(configured, config_name) -%}
  {%- if not columns -%}
    {%- do exceptions.raise_compiler_error(config_name ~ ' must contain at least one column') -%}
  {%- endif -%}
  {%- if this is defined and this and relation.identifier != this.identifier
      and config.get('materialized') in ['table', 'incremental'] -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- if not adapter.is_ducklake(relation) -%}
    {%- do adapter.warn_once(config_name ~ ' is only supported for DuckLake relations; ignoring for ' ~ relation) -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- do return(columns) -%}
{%- endmacro %}

{% macro duckdb__alter_table_set_partitioned_by(relation, partitioned_by) -%}
  alter table {{ relation }} set partitioned by ({{ partitioned_by }});
{%- endmacro %}

{% macro duckdb__alter_table_set_sorted_by(relation, sorted_by) -%}
  alter table {{ relation }} set sorted by ({{ sorted_by }});
{%- endmacro %}

{#- Returns one text or a list of texts as a list. -#}
{% macro normalize_string_or_list(raw, field_name) -%}
  {%- if raw is none -%}
    {%- do return([]) -%}
  {%- elif raw is string -%}
    {%- do return([raw]) -%}
  {%- elif raw is mapping or raw is not sequence -%}
    {%- do exceptions.raise_compiler_error(field_name ~ ' must be a list of strings or a string') -%}
  {%- endif -%}
  {%- for item in raw if item is not string -%}
    {%- do exceptions.raise_compiler_error(field_name ~ ' list values must be non-empty strings') -%}
  {%- endfor -%}
  {%- do return(raw | list) -%}
{%- endmacro %}
