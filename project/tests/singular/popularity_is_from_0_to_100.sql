-- Spotify's popularity is a number from 0 to 100, everywhere.
select 'dim_artist' as relation, artist_id as id, popularity
from {{ ref('dim_artist') }}
where popularity not between 0 and 100
union all
select 'dim_album', album_id, popularity
from {{ ref('dim_album') }}
where popularity not between 0 and 100
union all
select 'fact_track_popularity', track_popularity_id, popularity
from {{ ref('fact_track_popularity') }}
where popularity not between 0 and 100
