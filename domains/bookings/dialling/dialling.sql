select
  country,
  count(*) as passengers,
  count(phone) as telephones,
  count(*) filter (
    where starts_with(phone, case country
      when 'BR' then '+55'
      when 'DE' then '+49'
      when 'FR' then '+33'
      when 'IN' then '+91'
      when 'JP' then '+81'
      when 'US' then '+1'
    end)
  ) as at_home
from bookings.passengers
group by country
having count(*) >= 5
