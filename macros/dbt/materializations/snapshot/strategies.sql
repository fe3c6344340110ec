{#- A strategy says which rows of a snapshot changed. It is a macro `snapshot_<name>_strategy` and returns a mapping:
    unique_key, updated_at, row_changed, scd_id, hard_deletes, invalidate_hard_deletes. This finds it by its name,
    which may have a package before it (`my_package.my_strategy`). -#}
{% macro strategy_dispatch(name) -%}
  {%- set package_context = context -%}
  {%- set strategy_name = name -%}
  {%- if '.' in name -%}
    {%- set package_name = name.split('.')[0] -%}
    {%- set strategy_name = name[package_name | length + 1:] -%}
    {%- if package_name not in context -%}
      {%- do exceptions.raise_compiler_error("Could not find package '" ~ package_name ~ "', called with '" ~ name ~ "'") -%}
    {%- endif -%}
    {%- set package_context = context[package_name] -%}
  {%- endif -%}
  {%- set macro_name = 'snapshot_' ~ strategy_name ~ '_strategy' -%}
  {%- if macro_name not in package_context -%}
    {%- do exceptions.raise_compiler_error(
        "The snapshot strategy '" ~ name ~ "' was not found: there is no macro `" ~ macro_name ~ '`'
    ) -%}
  {%- endif -%}
  {%- do return(package_context[macro_name]) -%}
{%- endmacro %}

{#- A row changed when its `updated_at` is later than the start of the version that holds. -#}
{% macro snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) -%}
  {%- set updated_at = config.get('updated_at') -%}
  {%- set valid_from = dbt.snapshot_column_names().dbt_valid_from -%}
  {%- do return(dbt.snapshot_strategy(
      updated_at, '(' ~ snapshotted_rel ~ '.' ~ valid_from ~ ' < ' ~ current_rel ~ '.' ~ updated_at ~ ')'
  )) -%}
{%- endmacro %}

{#- A row changed when one of its `check_cols` has another value than in the version that holds. -#}
{% macro snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) -%}
  {%- set updated_at = config.get('updated_at') or snapshot_get_time() | trim -%}
  {%- set checked = snapshot_check_all_get_existing_columns(node, target_exists, config.get('check_cols')) -%}
  {%- set differences = [] -%}
  {%- if checked[0] -%}
    {%- do differences.append(get_true_sql() | trim) -%}
  {%- else -%}
    {%- for column in checked[1] -%}
      {%- do differences.append(snapshotted_rel ~ '.' ~ column ~ ' is distinct from ' ~ current_rel ~ '.' ~ column) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- do return(dbt.snapshot_strategy(updated_at, '(' ~ differences | join(' or ') ~ ')')) -%}
{%- endmacro %}

{#- Returns the mapping that describes a strategy, with what all of them share. -#}
{% macro snapshot_strategy(updated_at, row_changed) -%}
  {%- set unique_key = config.get('unique_key') -%}
  {%- set hard_deletes = adapter.get_hard_deletes_behavior(config) -%}
  {%- do return({
      'unique_key': unique_key,
      'updated_at': updated_at,
      'row_changed': row_changed,
      'scd_id': snapshot_hash_arguments(([unique_key] if unique_key is string else unique_key) + [updated_at]),
      'invalidate_hard_deletes': hard_deletes == 'invalidate',
      'hard_deletes': hard_deletes
  }) -%}
{%- endmacro %}

{#- Returns whether the query has gained a checked column, and the checked columns that both have, quoted. -#}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) -%}
  {%- if not target_exists -%}
    {%- do return([false, []]) -%}
  {%- endif -%}
  {%- if check_cols_config == 'all' -%}
    {%- set checked = get_columns_in_query(node['compiled_code']) -%}
  {%- elif check_cols_config is sequence and check_cols_config is not string and check_cols_config -%}
    {#- By a query, so that the database says how it writes the names. -#}
    {%- set checked = get_columns_in_query(
        'select ' ~ check_cols_config | join(', ') ~ ' from (\n' ~ node['compiled_code'] ~ '\n) subq'
    ) -%}
  {%- else -%}
    {%- do exceptions.raise_compiler_error("Invalid value for 'check_cols': " ~ check_cols_config) -%}
  {%- endif -%}
  {%- set target_relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
  {%- set existing = get_list_of_column_names(adapter.get_columns_in_relation(target_relation)) -%}
  {%- set common = [] -%}
  {%- for name in checked if name in existing -%}
    {%- do common.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {%- do return([common | length < checked | length, common]) -%}
{%- endmacro %}

{#- The id of a version: a hash of what makes it one. -#}
{% macro snapshot_hash_arguments(args) -%}
  {{ adapter.dispatch('snapshot_hash_arguments', 'dbt')(args) }}
{%- endmacro %}

{% macro default__snapshot_hash_arguments(args) -%}
  md5(
  {%- for arg in args -%}
    coalesce(cast({{ arg }} as varchar ), '') {{ "|| '|' || " if not loop.last }}
  {%- endfor -%}
  )
{%- endmacro %}

{% macro snapshot_string_as_time(timestamp) -%}
  {{ adapter.dispatch('snapshot_string_as_time', 'dbt')(timestamp) }}
{%- endmacro %}

{% macro default__snapshot_string_as_time(timestamp) -%}
  {%- do exceptions.raise_not_implemented('`snapshot_string_as_time` is not implemented for ' ~ adapter.type()) -%}
{%- endmacro %}
