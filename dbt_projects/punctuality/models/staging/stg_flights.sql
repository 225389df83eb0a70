with flights as (
    select * from {{ source('operations', 'flights') }}
)

select
    carrier,
    flight_number,
    origin,
    destination,
    scheduled_departure,
    scheduled_hour,
    cancelled,
    departure_delay_minutes,
    arrival_delay_minutes,
    arrival_delay_minutes is not null as arrived,
    arrival_delay_minutes < 15 as on_time
from flights
