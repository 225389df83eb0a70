{% test adds_up_to_rows_of(model, column, other) %}
-- An aggregate counts every row exactly once.
select here.n, there.n as expected
from (select sum({{ column }}) as n from {{ model }}) as here
cross join (select count(*) as n from {{ other }}) as there
where here.n <> there.n
{% endtest %}
