{# A key for rows that are told apart by several columns: the MD5 hash of their texts, joined by `-`. #}
{% macro surrogate_key(columns) -%}
    md5(
        {%- for column in columns %}
        coalesce(cast({{ column }} as varchar), '∅') {{- " || '-' ||" if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
