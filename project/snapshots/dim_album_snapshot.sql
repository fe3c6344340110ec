{#
    Strategy `check`: a new version whenever the popularity is another than that of the last version. `updated_at`
    dates the versions by the day that was built, not by the clock, so that days built late get their own dates.
#}
{% snapshot dim_album_snapshot %}

{{ config(
    unique_key='album_id',
    strategy='check',
    check_cols=['popularity'],
    updated_at='updated_at'
) }}

select
    album.*,
    cast(staged.loaded_at as timestamp) as updated_at
from {{ ref('dim_album') }} as album
inner join {{ ref('stg_album') }} as staged using (album_id)
where {{ no_newer_version('staged', 'album_id') }}

{% endsnapshot %}
