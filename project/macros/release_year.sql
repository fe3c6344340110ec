{#
    The year of a release date of any precision (`1975`, `1975-06`, `1975-06-21`), as an integer. NULL if there is no
    date, or only the API's placeholder `0000`.
#}
{% macro release_year(release_date) -%}
    nullif(try_cast(regexp_extract({{ release_date }}, '^(\d{4})(-|$)', 1) as integer), 0)
{%- endmacro %}
