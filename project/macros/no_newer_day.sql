{#
    The condition that a staged row may enter its dimension: the facts know its id from no newer day. So a dimension
    never goes back in time when an older day is built after a newer one, while ids that only the older day has still
    arrive.

    The facts are the project's memory of which id was there on which day. They are read as an earlier run left them,
    and not through `ref`, as they are built from the dimensions.

    `staged` is the alias of the staged rows, `id` the column that the dimension and the facts share.
#}
{% macro no_newer_day(staged, id) -%}
    {%- set facts = none -%}
    {%- if is_incremental() -%}
        {%- set facts = adapter.get_relation(this.database, this.schema, 'fact_track_popularity') -%}
    {%- endif -%}

    {%- if facts -%}
    not exists (
        select 1
        from {{ facts }} as newer
        where newer.{{ id }} = {{ staged }}.{{ id }}
            and newer.loaded_at > {{ staged }}.loaded_at
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
