-- time_hour is the instant; year, month, day and hour are the clock on the wall, which showed
-- 1 o'clock twice on 3 November. 253 mph is the strongest wind ever measured near the ground.
select
    origin,
    time_hour as observed_at,
    temp as temperature_fahrenheit,
    dewp as dew_point_fahrenheit,
    humid as relative_humidity_percent,
    cast(wind_dir as integer) as wind_direction_degrees,
    case when wind_speed <= 253 then wind_speed end as wind_speed_mph,
    coalesce(wind_speed > 253, false) as wind_speed_was_impossible,
    wind_gust as wind_gust_mph,
    precip as precipitation_inches,
    pressure as pressure_millibars,
    visib as visibility_miles
from weather_csv
where time_hour <= mesh_now()
