{#- A batch is an interval of `event_time`: the target's rows in it go, the batch's rows in it come. -#}
{% macro duckdb__get_incremental_microbatch_sql(arg_dict) -%}
  {%- set event_time = config.get('event_time') -%}
  {%- if not event_time -%}
    {%- do exceptions.raise_compiler_error("microbatch incremental strategy requires an 'event_time' model config") -%}
  {%- elif config.get('unique_key') -%}
    {%- do exceptions.raise_compiler_error(
        "microbatch incremental strategy does not support 'unique_key': each batch replaces its interval of '" ~ event_time
        ~ "'. Remove 'unique_key' or use incremental_strategy='merge'."
    ) -%}
  {%- endif -%}
  {%- set batch = model.get('batch') or {} -%}
  {%- set batch_start = batch.get('event_time_start') -%}
  {%- set batch_end = batch.get('event_time_end') -%}
  {%- if not batch_start or not batch_end -%}
    {%- do exceptions.raise_compiler_error(
        "microbatch incremental strategy requires 'batch.event_time_start' and 'batch.event_time_end' to be set in the context"
    ) -%}
  {%- endif -%}

  {%- set target = arg_dict['target_relation'] -%}
  {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
  {%- set in_batch = event_time ~ " >= '" ~ batch_start ~ "' and " ~ event_time ~ " < '" ~ batch_end ~ "'" -%}
  {{ dbt.load_indexes_sql(target, arg_dict['dest_columns']) }}
  delete from {{ target }}
  where {{ in_batch }}
  {%- for predicate in normalize_incremental_predicates(arg_dict.get('incremental_predicates')) %}
    and ({{ predicate }})
  {%- endfor %};

  insert into {{ target }} ({{ columns }})
  select {{ columns }}
  from {{ arg_dict['temp_relation'] }}
  where {{ in_batch }};
{%- endmacro %}
