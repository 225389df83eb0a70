-- Left join: a flight whose hour nobody observed still counts, as `unobserved`.
select
    flights.*,
    coalesce(observations.condition, 'unobserved') as condition
from {{ ref('stg_flights') }} as flights
left join {{ ref('stg_observations') }} as observations
    on
        flights.origin = observations.origin
        and flights.scheduled_hour = observations.observed_at
