select
    row_number() over (order by album.popularity desc nulls last, album.album_name) as place,
    album.album_name,
    string_agg(distinct artist.artist_name, ', ' order by artist.artist_name) as artist_names,
    album.popularity
from {{ ref('fact_track_popularity') }} as fact
inner join {{ ref('dim_artist') }} as artist using (artist_id)
inner join {{ ref('dim_album') }} as album using (album_id)
where {{ dashboard_filter('fact', 'artist') }}
group by album.album_id, album.album_name, album.popularity
qualify place <= 10
order by place
