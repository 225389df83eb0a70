select country, first_seen from self
union all
select distinct country, mesh_now() as first_seen
from bookings.countries
where country not in (select country from self)
