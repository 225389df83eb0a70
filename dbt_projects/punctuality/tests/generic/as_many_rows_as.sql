{% test as_many_rows_as(model, other) %}
-- A join has neither lost nor multiplied rows.
select here.n, there.n as expected
from (select count(*) as n from {{ model }}) as here
cross join (select count(*) as n from {{ other }}) as there
where here.n <> there.n
{% endtest %}
