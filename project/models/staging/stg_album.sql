select
    album_id,
    cast(attributes as json) as attributes,
    cast(loaded_at as date) as loaded_at
from {{ source('raw', 'albums') }}
where {{ is_of_load_date() }}
