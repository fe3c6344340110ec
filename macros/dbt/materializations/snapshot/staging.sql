{#- The query of a snapshot's first run: every row is a version that holds. -#}
{% macro build_snapshot_table(strategy, sql) -%}
  {{ adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql) }}
{%- endmacro %}

{% macro default__build_snapshot_table(strategy, sql) -%}
  {%- set columns = dbt.snapshot_column_names() -%}
  select
    *,
    {{ strategy.scd_id }} as {{ columns.dbt_scd_id }},
    {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
    {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
    {{ get_dbt_valid_to_current(strategy, columns) }}
    {{- ", 'False' as " ~ columns.dbt_is_deleted if strategy.hard_deletes == 'new_record' }}
  from (
    {{ sql }}
  ) sbq
{%- endmacro %}

{#- The query of every later run: what is to be done, as rows with a `dbt_change_type`. An `insert` is a new version;
    an `update` closes the version before it; a `delete` closes the version of a row that is gone. With
    `hard_deletes: new_record` a row that is gone gets a new version too, which says so. -#}
{% macro snapshot_staging_table(strategy, source_sql, target_relation) -%}
  {{ adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation) }}
{%- endmacro %}

{% macro default__snapshot_staging_table(strategy, source_sql, target_relation) -%}
  {%- set columns = dbt.snapshot_column_names() -%}
  {%- set key = strategy.unique_key -%}
  {%- set records_deletes = strategy.hard_deletes == 'new_record' -%}
  {%- set closes_deletes = records_deletes or strategy.hard_deletes == 'invalidate' -%}
  {%- set join_on = unique_key_join_on(key, 'snapshotted_data', 'source_data') -%}
  {%- set now = snapshot_get_time() | trim -%}
  {%- set source_columns -%}
    * exclude (dbt_internal_scd_id, dbt_internal_is_update{{ ', dbt_internal_is_deleted' if records_deletes }})
  {%- endset -%}
  {%- set changed -%}
    ({{ strategy.row_changed }}{{ " or snapshotted_data." ~ columns.dbt_is_deleted ~ " = 'True'" if records_deletes }})
  {%- endset -%}

  with snapshot_query as (
    {{ source_sql }}
  ),
  snapshotted_data as (
    select *, {{ unique_key_fields(key) }}
    from {{ target_relation }}
    where {{ dbt.snapshot_is_open(columns.dbt_valid_to) }}
  ),
  keyed_source_data as (
    select *, {{ unique_key_fields(key) }}
    from snapshot_query
  ),
  {#- The rows that are new or changed, of the many that are not: they are joined and looked for once. #}
  changed_data as materialized (
    select
      source_data.*,
      snapshotted_data.{{ columns.dbt_scd_id }} as dbt_internal_scd_id,
      {{ "snapshotted_data." ~ columns.dbt_is_deleted ~ " as dbt_internal_is_deleted," if records_deletes }}
      snapshotted_data.{{ columns.dbt_scd_id }} is not null and {{ changed }} as dbt_internal_is_update
    from keyed_source_data as source_data
    left join snapshotted_data on {{ join_on }}
    where {{ unique_key_is_null(key, 'snapshotted_data') }} or {{ changed }}
  ),
  insertions as (
    select
      'insert' as dbt_change_type,
      {{ source_columns }},
      {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
      {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
      {{ get_dbt_valid_to_current(strategy, columns) }},
      {{ strategy.scd_id }} as {{ columns.dbt_scd_id }}
      {{- ", 'False' as " ~ columns.dbt_is_deleted if records_deletes }}
    from changed_data
  ),
  updates as (
    select
      'update' as dbt_change_type,
      {{ source_columns }},
      {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
      {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
      {{ strategy.updated_at }} as {{ columns.dbt_valid_to }},
      dbt_internal_scd_id as {{ columns.dbt_scd_id }}
      {{- ', dbt_internal_is_deleted as ' ~ columns.dbt_is_deleted if records_deletes }}
    from changed_data
    where dbt_internal_is_update
  )
  {%- if closes_deletes %},
  deletes as (
    select
      'delete' as dbt_change_type,
      source_data.*,
      {{ now }} as {{ columns.dbt_updated_at }},
      {{ now }} as {{ columns.dbt_valid_from }},
      {{ now }} as {{ columns.dbt_valid_to }},
      snapshotted_data.{{ columns.dbt_scd_id }}
      {{- ', snapshotted_data.' ~ columns.dbt_is_deleted if records_deletes }}
    from snapshotted_data
    left join keyed_source_data as source_data on {{ join_on }}
    where {{ unique_key_is_null(key, 'source_data') }}
    {{- " and snapshotted_data." ~ columns.dbt_is_deleted ~ " <> 'True'" if records_deletes }}
  )
  {%- endif %}
  {%- if records_deletes %},
  deletion_records as (
    select
      'insert' as dbt_change_type,
      {%- set snapshotted_names = get_list_of_column_names(adapter.get_columns_in_relation(target_relation)) %}
      {%- for name in get_columns_in_query(source_sql) %}
      {{ 'snapshotted_data' if name in snapshotted_names else 'source_data' }}.{{ adapter.quote(name) }},
      {%- endfor %}
      {%- for name in dbt.snapshot_key_columns(key) %}
      snapshotted_data.{{ name }},
      {%- endfor %}
      {{ now }} as {{ columns.dbt_updated_at }},
      {{ now }} as {{ columns.dbt_valid_from }},
      snapshotted_data.{{ columns.dbt_valid_to }},
      {{ snapshot_hash_arguments(['snapshotted_data.' ~ columns.dbt_scd_id, now]) }} as {{ columns.dbt_scd_id }},
      'True' as {{ columns.dbt_is_deleted }}
    from snapshotted_data
    left join keyed_source_data as source_data on {{ join_on }}
    where {{ unique_key_is_null(key, 'source_data') }}
    and snapshotted_data.{{ columns.dbt_is_deleted }} <> 'True'
  )
  {%- endif %}
  select * from insertions
  union all
  select * from updates
  {%- if closes_deletes %}
  union all
  select * from deletes
  {%- endif %}
  {%- if records_deletes %}
  union all
  select * from deletion_records
  {%- endif %}
{%- endmacro %}
