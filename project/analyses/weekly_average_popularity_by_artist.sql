select
    cast(date_trunc('week', fact.loaded_at) as date) as week,
    artist.artist_name,
    round(avg(fact.popularity), 2) as average_popularity
from {{ ref('fact_track_popularity') }} as fact
inner join {{ ref('dim_artist') }} as artist using (artist_id)
where {{ dashboard_filter('fact', 'artist', by_day=false) }}
group by week, artist.artist_id, artist.artist_name
order by week, artist.artist_name
