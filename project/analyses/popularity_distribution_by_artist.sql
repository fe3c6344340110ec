select
    artist.artist_name,
    count(fact.popularity) as songs,
    min(fact.popularity) as lowest,
    quantile_cont(fact.popularity, 0.25) as lower_quartile,
    median(fact.popularity) as median,
    quantile_cont(fact.popularity, 0.75) as upper_quartile,
    max(fact.popularity) as highest
from {{ ref('fact_track_popularity') }} as fact
inner join {{ ref('dim_artist') }} as artist using (artist_id)
where {{ dashboard_filter('fact', 'artist') }}
group by artist.artist_id, artist.artist_name
order by artist.artist_name
