{% test unique_together(model, columns) %}
-- A key of several columns occurs once.
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
