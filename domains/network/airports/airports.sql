-- Three positions cannot be right: DVT and MYF lost the minus of their longitude (and were then
-- given a Chinese time zone), EEN has latitude and longitude exchanged. We do not guess: what
-- follows from a wrong position becomes null, and a column says so.
with delivered as (
    select
        *,
        lat between 17 and 72
            and (lon between -180 and -64 or lon between 172 and 180) as position_is_plausible
    from airports_csv
)

select
    faa as airport,
    name,
    case when position_is_plausible then lat end as latitude,
    case when position_is_plausible then lon end as longitude,
    cast(alt as integer) as altitude_feet,
    case when position_is_plausible then cast(tz as integer) end as utc_offset_hours,
    dst as daylight_saving,
    case when position_is_plausible then tzone end as time_zone,
    position_is_plausible
from delivered
