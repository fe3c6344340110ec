{#- A unit test: the model's query over fixtures beside the rows expected of it, in one result that the runner
    compares. The types of the fixtures come from an empty table of the query. -#}
{% materialization unit, default %}
  {%- set sql_header = config.get('sql_header') if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS else none -%}
  {%- set expected_rows = config.get('expected_rows') -%}
  {%- set expected_sql = config.get('expected_sql') -%}
  {%- set temp_relation = make_temp_relation(this.incorporate(type='table')) -%}
  {%- do run_query(get_create_table_as_sql(True, temp_relation, get_empty_subquery_sql(sql))) -%}

  {%- set types = {} -%}
  {%- set quoted = {} -%}
  {%- for column in adapter.get_columns_in_relation(temp_relation) -%}
    {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- do quoted.update({column.name | lower: column.quoted}) -%}
  {%- endfor -%}

  {%- set compared = [] -%}
  {%- for name in (expected_rows[0].keys() if expected_rows else quoted.keys()) -%}
    {%- do compared.append(quoted[name | lower]) -%}
  {%- endfor -%}
  {%- if not expected_sql -%}
    {%- set expected_sql = get_expected_sql(expected_rows, types, quoted) -%}
  {%- endif -%}

  {% call statement('main', fetch_result=True) -%}
    {{ sql_header or '' }}
    {{ get_unit_test_sql(sql, expected_sql, compared) }}
  {%- endcall %}
  {%- do adapter.drop_relation(temp_relation) -%}

  {{ return({'relations': []}) }}
{% endmaterialization %}

{% macro get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
  {{ adapter.dispatch('get_unit_test_sql', 'dbt')(main_sql, expected_fixture_sql, expected_column_names) }}
{%- endmacro %}

{% macro default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
  {%- set columns = expected_column_names | join(', ') -%}
  {%- set side = adapter.quote('actual_or_expected') -%}
  with dbt_internal_unit_test_actual as (
    select {{ columns }}, {{ dbt.string_literal('actual') }} as {{ side }}
    from (
      {{ main_sql }}
    ) _dbt_internal_unit_test_actual
  ),
  dbt_internal_unit_test_expected as (
    select {{ columns }}, {{ dbt.string_literal('expected') }} as {{ side }}
    from (
      {{ expected_fixture_sql }}
    ) _dbt_internal_unit_test_expected
  )
  select * from dbt_internal_unit_test_actual
  union all
  select * from dbt_internal_unit_test_expected
{%- endmacro %}

{#- The rows of a `given` in the place of its input, with every column the input has: those not given are null. -#}
{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
  {%- set quoted = {} -%}
  {%- if not column_name_to_data_types -%}
    {%- set column_name_to_data_types = {} -%}
    {%- set relation = defer_relation if (defer_relation and not load_relation(this)) else this -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
      {%- do column_name_to_data_types.update({column.name | lower: column.data_type}) -%}
      {%- do quoted.update({column.name | lower: column.quoted}) -%}
    {%- endfor -%}
    {%- if not column_name_to_data_types -%}
      {%- do exceptions.raise_compiler_error(
          "Not able to get columns for unit test '" ~ model.name ~ "' from relation " ~ this ~ " because the relation doesn't exist"
      ) -%}
    {%- endif -%}
  {%- endif -%}
  {%- do validate_fixture_rows(rows, none) -%}

  {%- set selects = [] -%}
  {%- for row in rows or [{}] -%}
    {%- set given = format_row(row, column_name_to_data_types) -%}
    {%- set values = [] -%}
    {%- for name, data_type in column_name_to_data_types.items() -%}
      {%- set value = given[name] if name in given else safe_cast('null', data_type) | trim -%}
      {%- do values.append(value ~ ' as ' ~ (quoted[name] if name in quoted else name)) -%}
    {%- endfor -%}
    {%- do selects.append('select ' ~ values | join(', ')) -%}
  {%- endfor -%}
-- Fixture for {{ model.name }}
{{ selects | join('\nunion all\n') }}
  {{- '\nlimit 0' if not rows }}
{%- endmacro %}

{#- The rows of an `expect`, with the columns that it names. -#}
{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
  {%- set selects = [] -%}
  {%- for row in rows -%}
    {%- set values = [] -%}
    {%- for name, value in format_row(row, column_name_to_data_types).items() -%}
      {%- do values.append(value ~ ' as ' ~ column_name_to_quoted[name]) -%}
    {%- endfor -%}
    {%- do selects.append('select ' ~ values | join(', ')) -%}
  {%- endfor -%}
  {{ selects | join('\nunion all\n') if selects else 'select * from dbt_internal_unit_test_actual limit 0' }}
{%- endmacro %}

{#- Returns a fixture's row as SQL by column name: every value cast to its column's type. -#}
{% macro format_row(row, column_name_to_data_types) -%}
  {%- set formatted = {} -%}
  {%- for name, value in row.items() -%}
    {%- set name = name | lower -%}
    {%- if name not in column_name_to_data_types -%}
      {%- set fixture = 'expected output' if model.resource_type == 'unit_test' else "'" ~ model.name ~ "'" -%}
      {%- do exceptions.raise_compiler_error(
          "Invalid column name: '" ~ name ~ "' in unit test fixture for " ~ fixture ~ ".\nAccepted columns for " ~ fixture
          ~ " are: " ~ (column_name_to_data_types.keys() | list)
      ) -%}
    {%- endif -%}
    {%- set data_type = column_name_to_data_types[name] -%}
    {%- if value is string -%}
      {#- A cast to a varchar with a length would cut a text that is too long, and hide it. -#}
      {%- set data_type = data_type.split('(')[0] if 'varying' in data_type else data_type -%}
      {%- set value = dbt.string_literal(dbt.escape_single_quotes(value)) -%}
    {%- elif value is none -%}
      {%- set value = 'null' -%}
    {%- endif -%}
    {%- do formatted.update({name: safe_cast(value, data_type) | trim}) -%}
  {%- endfor -%}
  {%- do return(formatted) -%}
{%- endmacro %}

{#- For an adapter to refuse rows it cannot write as SQL. -#}
{% macro validate_fixture_rows(rows, row_number) -%}
  {%- do return(adapter.dispatch('validate_fixture_rows', 'dbt')(rows, row_number)) -%}
{%- endmacro %}

{% macro default__validate_fixture_rows(rows, row_number) -%}
{%- endmacro %}
