{% test accepted_values(model, column_name, values, quote=True) %}
  {{ adapter.dispatch('test_accepted_values', 'dbt')(model, column_name, values, quote) }}
{% endtest %}

{% macro default__test_accepted_values(model, column_name, values, quote=True) -%}
{%- set mark = "'" if quote else '' -%}
select
    {{ column_name }} as value_field,
    count(*) as n_records
from {{ model }}
where {{ column_name }} not in (
    {%- for value in values %}
    {{ mark }}{{ value }}{{ mark }}{{ ',' if not loop.last }}
    {%- endfor %}
)
group by {{ column_name }}
{%- endmacro %}
