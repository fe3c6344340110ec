select
    artist.artist_name,
    fact.rank_in_artist,
    track.track_name,
    fact.popularity
from {{ ref('fact_track_popularity') }} as fact
inner join {{ ref('dim_artist') }} as artist using (artist_id)
inner join {{ ref('dim_track') }} as track using (track_id)
where {{ dashboard_filter('fact', 'artist') }}
qualify row_number() over (
    partition by artist.artist_id
    order by fact.rank_in_artist, fact.popularity desc, track.track_name
) <= 5
order by artist.artist_name, fact.rank_in_artist, fact.popularity desc, track.track_name
