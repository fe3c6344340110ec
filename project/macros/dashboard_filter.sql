{#
    The condition that a fact is among what the dashboard shows: the artists of the var `dashboard_artists` (names;
    all if it is empty) and, if `by_day`, the day of the var `dashboard_date`.

    `fact` and `artist` are the aliases of fact_track_popularity and dim_artist.
#}
{% macro dashboard_filter(fact, artist, by_day=true) -%}
    {%- set conditions = [] -%}
    {%- if by_day and var('dashboard_date') == 'latest' -%}
        {%- do conditions.append(fact ~ '.loaded_at = (select max(loaded_at) from ' ~ ref('fact_track_popularity') ~ ')') -%}
    {%- elif by_day -%}
        {%- do conditions.append(fact ~ '.loaded_at = ' ~ dbt.string_literal(var('dashboard_date'))) -%}
    {%- endif -%}

    {%- set names = [] -%}
    {%- for name in var('dashboard_artists') -%}
        {%- do names.append(dbt.string_literal(dbt.escape_single_quotes(name))) -%}
    {%- endfor -%}
    {%- if names -%}
        {%- do conditions.append(artist ~ '.artist_name in (' ~ names | join(', ') ~ ')') -%}
    {%- endif -%}

    {{ conditions | join(' and ') if conditions else 'true' }}
{%- endmacro %}
