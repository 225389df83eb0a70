select order_id, customer, ordered_on, amount, status
from orders_csv
