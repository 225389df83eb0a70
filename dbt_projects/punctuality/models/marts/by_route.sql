with routes as (
    select
        carrier,
        origin,
        destination,
        count(*) as scheduled_flights,
        count(*) filter (where cancelled) as cancelled_flights,
        count(*) filter (where arrived) as arrived_flights,
        avg(on_time::integer) as on_time_share,
        avg(departure_delay_minutes) as mean_departure_delay_minutes,
        avg(arrival_delay_minutes) as mean_arrival_delay_minutes,
        max(scheduled_departure) as last_scheduled_departure
    from {{ ref('stg_flights') }}
    group by carrier, origin, destination
)

select
    routes.carrier,
    routes.origin,
    routes.destination,
    airlines.name as carrier_name,
    airports.name as destination_name,
    routes.scheduled_flights,
    routes.cancelled_flights,
    routes.arrived_flights,
    routes.on_time_share,
    routes.mean_departure_delay_minutes,
    routes.mean_arrival_delay_minutes,
    routes.last_scheduled_departure
from routes
left join {{ source('network', 'airlines') }} as airlines on routes.carrier = airlines.carrier
left join {{ source('network', 'airports') }} as airports on routes.destination = airports.airport
