select
    track_id,
    cast(attributes as json) as attributes,
    cast(custom_attributes as json) as custom_attributes,
    cast(loaded_at as date) as loaded_at
from {{ on_load_date(source('raw', 'tracks')) }}
-- A track among the top tracks of two artists may arrive once for each: its best place is kept.
qualify row_number() over (
    partition by track_id
    order by cast(custom_attributes ->> '$.rank_in_artist' as integer)
) = 1
