{% macro duckdb__date(year, month, day) -%}
  make_date({{ year }}, {{ month }}, {{ day }})
{%- endmacro %}

{#- An interval of one unit times the number, which may be any expression. There is no interval of a quarter. -#}
{% macro duckdb__dateadd(datepart, interval, from_date_or_timestamp) -%}
  {%- set unit = datepart | lower -%}
  {%- set units = {'quarter': '3 month', 'week': '7 day'} %}
  ({{ from_date_or_timestamp }} + cast({{ interval }} as bigint) * interval {{ units.get(unit) or '1 ' ~ unit }})
{%- endmacro %}

{#- How many borders between parts lie between the dates. Weeks begin on Sunday, as dbt has it, which makes them the
    distance between the Mondays on which DuckDB has the days after begin. -#}
{% macro duckdb__datediff(first_date, second_date, datepart) -%}
  {%- if datepart == 'week' -%}
    (date_diff('day', {{ duckdb__sunday_week(first_date) }}, {{ duckdb__sunday_week(second_date) }}) // 7)
  {%- else -%}
    date_diff('{{ datepart }}', ({{ first_date }})::timestamp, ({{ second_date }})::timestamp)
  {%- endif -%}
{%- endmacro %}

{% macro duckdb__sunday_week(date) -%}
  date_trunc('week', ({{ date }})::timestamp + interval 1 day)
{%- endmacro %}

{% macro duckdb__last_day(date, datepart) -%}
  {%- do return(dbt.default_last_day(date, datepart)) -%}
{%- endmacro %}

{% macro duckdb__generate_series(upper_bound) -%}
  select generate_series as generated_number
  from generate_series(1, {{ upper_bound }})
{%- endmacro %}
