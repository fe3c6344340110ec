{% macro convert_datetime(date_str, date_fmt) -%}
  {%- do return(try_or_compiler_error(
      "The partition date '" ~ date_str ~ "' does not match the format '" ~ date_fmt ~ "'",
      modules.datetime.datetime.strptime, date_str.strip(), date_fmt
  )) -%}
{%- endmacro %}

{#- Every day from the first to the last, both included, as text in `out_fmt` (or as dates without one). -#}
{% macro dates_in_range(start_date_str, end_date_str=none, in_fmt="%Y%m%d", out_fmt="%Y%m%d") -%}
  {%- set first = convert_datetime(start_date_str, in_fmt) -%}
  {%- set last = first if end_date_str is none else convert_datetime(end_date_str, in_fmt) -%}
  {%- set days = (last - first).days -%}
  {%- if days < 0 -%}
    {%- do exceptions.raise_compiler_error('The first partition date (' ~ first ~ ') lies after the last (' ~ last ~ ')') -%}
  {%- endif -%}
  {%- set dates = [] -%}
  {%- for day in range(days + 1) -%}
    {%- set date = first + modules.datetime.timedelta(days=day) -%}
    {%- do dates.append(date.strftime(out_fmt) if out_fmt else date) -%}
  {%- endfor -%}
  {%- do return(dates) -%}
{%- endmacro %}

{#- Reads `20240101` or `20240101,20240131` and returns the days it means. -#}
{% macro partition_range(raw_partition_date, date_fmt='%Y%m%d') -%}
  {%- set parts = (raw_partition_date | string).split(',') -%}
  {%- if parts | length > 2 -%}
    {%- do exceptions.raise_compiler_error(
        'Invalid partition date: ' ~ raw_partition_date ~ '. Write one date, or the first and the last date with a comma between them'
    ) -%}
  {%- endif -%}
  {%- do return(dates_in_range(parts[0], parts[1] if parts | length == 2 else none, in_fmt=date_fmt)) -%}
{%- endmacro %}

{% macro py_current_timestring() -%}
  {%- do return(modules.datetime.datetime.now().strftime('%Y%m%d%H%M%S%f')) -%}
{%- endmacro %}
