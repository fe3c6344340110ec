-- The three staging tables are of one and the same day: no mixture of two days reached the star.
select 'staging holds ' || count(distinct loaded_at) || ' days' as failure
from (
    select loaded_at from {{ ref('stg_artist') }}
    union all
    select loaded_at from {{ ref('stg_track') }}
    union all
    select loaded_at from {{ ref('stg_album') }}
)
having count(distinct loaded_at) > 1
