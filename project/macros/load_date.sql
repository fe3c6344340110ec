{#
    The day that this run builds, as YYYY-MM-DD: that of rbt's `--date`, else the var `load_date` or, if that is
    `latest`, the newest day for which the artists', the tracks' and the albums' file are all there. A day that is still
    being extracted is no such day, so the three staging models agree.
#}
{% macro load_date() %}
    {% if flags.DATE %}
        {{ return(flags.DATE) }}
    {% elif var('load_date') != 'latest' %}
        {{ return(var('load_date')) }}
    {% elif not execute %}
        {{ return('latest') }}
    {% endif %}

    {% set complete_days %}
        select regexp_extract(file, '_data_(\d{4}-\d{2}-\d{2})\.csv$', 1) as load_day
        from (
            {%- for entity in ['artists', 'tracks', 'albums'] %}
            select file from glob('{{ var("raw_path") }}/{{ entity }}/{{ entity }}_data_*.csv')
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        )
        where load_day != ''
        group by load_day
        having count(*) = 3
        order by load_day desc
        limit 1
    {% endset %}
    {% set days = run_query(complete_days).columns[0].values() %}

    {% if not days %}
        {{ exceptions.raise_compiler_error(
            "No day in '" ~ var('raw_path') ~ "' has all three raw files "
            ~ "(artists/artists_data_DAY.csv, tracks/tracks_data_DAY.csv, albums/albums_data_DAY.csv). "
            ~ "Extract a day first, or point the var raw_path at the folder that holds them."
        ) }}
    {% endif %}
    {{ return(days[0]) }}
{% endmacro %}


{# The one file of a raw source that holds the day of this run, as something to select from. #}
{% macro on_load_date(source) -%}
    {{ source.render() | replace('_*.csv', '_' ~ load_date() ~ '.csv') }}
{%- endmacro %}
