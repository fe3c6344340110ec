-- In both snapshots the versions of an id follow each other without gap or overlap, and the last one is open.
with version as (
    select 'artist' as entity, artist_id as id, dbt_valid_from, dbt_valid_to
    from {{ ref('dim_artist_snapshot') }}
    union all
    select 'album', album_id, dbt_valid_from, dbt_valid_to
    from {{ ref('dim_album_snapshot') }}
)

select
    *,
    lead(dbt_valid_from) over (
        partition by entity, id
        order by dbt_valid_from, dbt_valid_to nulls last
    ) as next_valid_from
from version
qualify next_valid_from is distinct from dbt_valid_to
