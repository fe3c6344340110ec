{#
    Strategy `timestamp`: a new version when `updated_at` is after the start of the last version. The day that was
    built serves as `updated_at`; as it moves on for every artist, the artists that are still as their last version
    says are left out. Followers count as a change, so their history is complete.
#}
{% snapshot dim_artist_snapshot %}

{{ config(
    unique_key='artist_id',
    strategy='timestamp',
    updated_at='updated_at'
) }}

select
    artist.*,
    cast(staged.loaded_at as timestamp) as updated_at
from {{ ref('dim_artist') }} as artist
inner join {{ ref('stg_artist') }} as staged using (artist_id)
where {{ no_newer_version('staged', 'artist_id') }}
{% if load_relation(this) %}
and not exists (
    select 1
    from {{ this }} as last_version
    where last_version.artist_id = artist.artist_id
        and last_version.dbt_valid_to is null
        and last_version.artist_name is not distinct from artist.artist_name
        and last_version.genres is not distinct from artist.genres
        and last_version.followers is not distinct from artist.followers
        and last_version.popularity is not distinct from artist.popularity
)
{% endif %}

{% endsnapshot %}
