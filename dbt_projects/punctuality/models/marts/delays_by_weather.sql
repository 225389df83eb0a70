select
    origin,
    condition,
    count(*) as scheduled_flights,
    count(*) filter (where cancelled) as cancelled_flights,
    avg(cancelled::integer) as cancelled_share,
    avg(departure_delay_minutes) as mean_departure_delay_minutes,
    median(departure_delay_minutes) as median_departure_delay_minutes,
    max(scheduled_departure) as last_scheduled_departure
from {{ ref('int_flights_in_weather') }}
group by origin, condition
