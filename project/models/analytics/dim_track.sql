{{ config(unique_key='track_id', incremental_strategy='merge') }}

select
    track_id,
    attributes ->> '$.name' as track_name,
    cast(attributes ->> '$.duration_ms' as integer) as duration_ms,
    cast(attributes ->> '$.explicit' as boolean) as is_explicit
from {{ ref('stg_track') }} as staged
where {{ no_newer_fact('staged', 'track_id') }}
