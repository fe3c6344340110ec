-- One row a city, with the names that the rest of the project uses.
select
    city_id,
    city as city_name,
    country_code
from {{ ref('cities') }}
