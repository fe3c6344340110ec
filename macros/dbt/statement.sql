{#- How SQL leaves Jinja. `statement` runs the body of a `call` block and keeps the result under a name for
    `load_result`; a statement named `main` is the node's own and is what `target/run` shows. -#}
{% macro statement(name=None, fetch_result=False, auto_begin=True, language='sql') -%}
  {%- if execute -%}
    {%- set compiled_code = caller() -%}
    {%- if name == 'main' -%}
      {%- do write(compiled_code) -%}
    {%- endif -%}
    {%- if language != 'sql' -%}
      {%- do dbt.refuse_python_model() -%}
    {%- endif -%}
    {%- set response, table = adapter.execute(compiled_code, auto_begin=auto_begin, fetch=fetch_result) -%}
    {%- if name is not none -%}
      {%- do store_result(name, response=response, agate_table=table) -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}

{#- A statement that was run elsewhere (a seed's rows, for example): records the SQL and the result, runs nothing. -#}
{% macro noop_statement(name=None, message=None, code=None, rows_affected=None, res=None) -%}
  {%- set sql = caller() -%}
  {%- if name == 'main' -%}
    {%- do write(sql) -%}
  {%- endif -%}
  {%- if name is not none -%}
    {%- do store_raw_result(name, message=message, code=code, rows_affected=rows_affected, agate_table=res) -%}
  {%- endif -%}
{%- endmacro %}

{#- Runs a query, returns its table. -#}
{% macro run_query(sql) -%}
  {%- call statement('run_query_statement', fetch_result=True, auto_begin=False) -%}
    {{ sql }}
  {%- endcall -%}
  {%- do return(load_result('run_query_statement').table) -%}
{%- endmacro %}
