-- By popularity and not by rank_in_artist alone: a song of two artists has only one rank, and popularity may be withheld.
select
    artist.artist_name,
    row_number() over (
        partition by artist.artist_id
        order by fact.popularity desc nulls last, fact.rank_in_artist, track.track_name
    ) as place,
    track.track_name,
    fact.popularity
from {{ ref('fact_track_popularity') }} as fact
inner join {{ ref('dim_artist') }} as artist using (artist_id)
inner join {{ ref('dim_track') }} as track using (track_id)
where {{ dashboard_filter('fact', 'artist') }}
qualify place <= 5
order by artist.artist_name, place
