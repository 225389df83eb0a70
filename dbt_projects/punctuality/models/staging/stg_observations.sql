with observations as (
    select * from {{ source('weather', 'observations') }}
)

select
    origin,
    observed_at,
    -- The first condition that holds wins: it is the one that slows departures most.
    case
        when visibility_miles < 3 then 'low_visibility'
        when precipitation_inches > 0 then 'precipitation'
        when wind_speed_mph >= 25 or wind_gust_mph >= 35 then 'strong_wind'
        else 'fair'
    end as condition
from observations
