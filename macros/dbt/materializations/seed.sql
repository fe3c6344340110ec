{% materialization seed, default %}
  {%- set full_refresh = should_full_refresh() -%}
  {%- set old_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set agate_table = load_agate_table() -%}
  {%- do store_result('agate_table', response='OK', agate_table=agate_table) -%}

  {%- if old_relation is not none and old_relation.is_view -%}
    {%- do exceptions.raise_compiler_error("Cannot seed to '" ~ old_relation.render() ~ "', it is a view") -%}
  {%- endif -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- set rows = agate_table.rows | length -%}
  {%- set code = 'CREATE' if full_refresh else 'INSERT' -%}
  {%- if old_relation is none -%}
    {%- set table_sql = create_csv_table(model, agate_table) -%}
  {%- else -%}
    {%- set table_sql = reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
  {%- endif -%}
  {%- set rows_sql = load_csv_rows(model, agate_table) if rows > 0 else '' -%}
  {% call noop_statement('main', code ~ ' ' ~ rows, code, rows) -%}
    {{ get_csv_sql(table_sql, rows_sql) }};
  {%- endcall %}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(old_relation, full_refresh)) %}
  {% do persist_docs(target_relation, model) %}
  {% if full_refresh or old_relation is none %}
    {% do create_indexes(target_relation) %}
  {% endif %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro create_csv_table(model, agate_table) -%}
  {{ adapter.dispatch('create_csv_table', 'dbt')(model, agate_table) }}
{%- endmacro %}

{#- A column's type is what the config says, or else what its values look like. -#}
{% macro default__create_csv_table(model, agate_table) -%}
  {%- set column_types = model['config'].get('column_types', {}) -%}
  {%- set quote_columns = model['config'].get('quote_columns', none) -%}
  {%- set sql -%}
    create table {{ this.render() }} (
      {%- for name in agate_table.column_names %}
      {{ adapter.quote_seed_column(name | string, quote_columns) }} {{ column_types.get(name) or adapter.convert_type(agate_table, loop.index0) }}{{ ',' if not loop.last }}
      {%- endfor %}
    )
  {%- endset -%}
  {%- call statement('_') -%}
    {{ sql }}
  {%- endcall -%}
  {%- do return(sql) -%}
{%- endmacro %}

{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
  {{ adapter.dispatch('reset_csv_table', 'dbt')(model, full_refresh, old_relation, agate_table) }}
{%- endmacro %}

{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
  {%- if full_refresh -%}
    {#- By a statement and not by `adapter.drop_relation`, so that it opens the transaction that the rows are in. -#}
    {%- call statement('drop_seed') -%}
      {{ get_drop_sql(old_relation) }}
    {%- endcall -%}
    {%- do adapter.cache_dropped(old_relation) -%}
    {%- do return(create_csv_table(model, agate_table)) -%}
  {%- endif -%}
  {%- do adapter.truncate_relation(old_relation) -%}
  {%- do return('truncate table ' ~ old_relation.render()) -%}
{%- endmacro %}

{% macro load_csv_rows(model, agate_table) -%}
  {{ adapter.dispatch('load_csv_rows', 'dbt')(model, agate_table) }}
{%- endmacro %}

{#- Inserts the rows in batches with bound values; returns the first batch's SQL. -#}
{% macro default__load_csv_rows(model, agate_table) -%}
  {%- set columns = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
  {%- set marks = [] -%}
  {%- for _ in agate_table.column_names -%}
    {%- do marks.append(get_binding_char() | trim) -%}
  {%- endfor -%}
  {%- set row_sql = '(' ~ marks | join(', ') ~ ')' -%}
  {%- set statements = [] -%}
  {%- for batch in agate_table.rows | batch(get_batch_size()) -%}
    {%- set bindings = [] -%}
    {%- set row_sqls = [] -%}
    {%- for row in batch -%}
      {%- do bindings.extend(row) -%}
      {%- do row_sqls.append(row_sql) -%}
    {%- endfor -%}
    {%- set sql -%}
      insert into {{ this.render() }} ({{ columns }}) values
      {{ row_sqls | join(',\n      ') }}
    {%- endset -%}
    {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%}
    {%- do statements.append(sql) -%}
  {%- endfor -%}
  {%- do return(statements[0]) -%}
{%- endmacro %}

{#- What `target/run` shows of a seed. -#}
{% macro get_csv_sql(create_or_truncate_sql, insert_sql) -%}
  {{ adapter.dispatch('get_csv_sql', 'dbt')(create_or_truncate_sql, insert_sql) }}
{%- endmacro %}

{% macro default__get_csv_sql(create_or_truncate_sql, insert_sql) -%}
  {{ create_or_truncate_sql }};
  {{ insert_sql }}
{%- endmacro %}

{% macro get_binding_char() -%}
  {{ adapter.dispatch('get_binding_char', 'dbt')() }}
{%- endmacro %}

{% macro default__get_binding_char() -%}
  {%- do return('%s') -%}
{%- endmacro %}

{% macro get_batch_size() -%}
  {%- do return(adapter.dispatch('get_batch_size', 'dbt')()) -%}
{%- endmacro %}

{% macro default__get_batch_size() -%}
  {%- do return(10000) -%}
{%- endmacro %}

{% macro get_seed_column_quoted_csv(model, column_names) -%}
  {%- set quote_columns = model['config'].get('quote_columns', none) -%}
  {%- set quoted = [] -%}
  {%- for name in column_names -%}
    {%- do quoted.append(adapter.quote_seed_column(name | string, quote_columns)) -%}
  {%- endfor -%}
  {%- do return(quoted | join(', ')) -%}
{%- endmacro %}
