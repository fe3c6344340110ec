{{ config(unique_key='album_id', incremental_strategy='merge') }}

select
    album_id,
    attributes ->> '$.name' as album_name,
    attributes ->> '$.album_type' as album_type,
    {{ release_year("attributes ->> '$.release_date'") }} as released_at_year,
    cast(attributes ->> '$.total_tracks' as integer) as total_tracks,
    cast(attributes ->> '$.popularity' as integer) as popularity
from {{ ref('stg_album') }} as staged
where {{ no_newer_fact('staged', 'album_id') }}
