"""The way of values: what the columns of a port are made of, in SQL and in dbt."""
