{{ config(unique_key='artist_id', incremental_strategy='merge') }}

select
    artist_id,
    attributes ->> '$.name' as artist_name,
    nullif(cast(attributes -> '$.genres' as varchar[]), []) as genres,
    cast(attributes ->> '$.followers.total' as integer) as followers,
    cast(attributes ->> '$.popularity' as integer) as popularity
from {{ ref('stg_artist') }} as staged
where {{ no_newer_fact('staged', 'artist_id') }}
