select country, decade(born) as born_in, count(*) as passengers
from bookings.passengers
where born is not null
group by all
having count(*) >= 5
