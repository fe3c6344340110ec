{#
    Two conditions that keep what is newer when an older day is built after a newer one. `staged` is the alias of the
    staged rows, `id` the column that tells what they are about.
#}


{#
    The condition that a staged row may enter its dimension: the facts know its id from no newer day. Ids that only
    the older day has still arrive.

    The facts are the project's memory of which id was there on which day. They are read as an earlier run left them,
    and not through `ref`, as they are built from the dimensions.
#}
{% macro no_newer_fact(staged, id) -%}
    {%- set facts = none -%}
    {%- if is_incremental() -%}
        {%- set facts = adapter.get_relation(this.database, this.schema, 'fact_track_popularity') -%}
    {%- endif -%}
    {{ no_newer_row(facts, 'loaded_at', staged, id) }}
{%- endmacro %}


{# The condition that a staged row may start a version in the snapshot that is being taken: none starts later. #}
{% macro no_newer_version(staged, id) -%}
    {{ no_newer_row(load_relation(this), 'dbt_valid_from', staged, id) }}
{%- endmacro %}


{# The condition that `relation`, if it exists, has no row of the id with a day after that of the staged row. #}
{% macro no_newer_row(relation, day, staged, id) -%}
    {%- if relation -%}
    not exists (
        select 1
        from {{ relation }} as newer
        where newer.{{ id }} = {{ staged }}.{{ id }}
            and newer.{{ day }} > {{ staged }}.loaded_at
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
