select
    tailnum as tail_number,
    cast(year as integer) as manufactured_year,
    type as aircraft_type,
    manufacturer,
    model,
    cast(engines as integer) as engine_count,
    engine as engine_type,
    cast(seats as integer) as seats
from planes_csv
