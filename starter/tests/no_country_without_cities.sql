-- A test fails when it gives rows.
select *
from {{ ref('countries') }}
where cities = 0
