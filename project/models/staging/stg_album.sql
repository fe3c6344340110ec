select
    album_id,
    cast(attributes as json) as attributes,
    cast(loaded_at as date) as loaded_at
from {{ on_load_date(source('raw', 'albums')) }}
