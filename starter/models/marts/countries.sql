-- One row a country. It is a table, as dbt_project.yml says of this folder.
select
    country_code,
    count(*) as cities
from {{ ref('stg_cities') }}
group by country_code
