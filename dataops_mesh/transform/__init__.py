"""What builds a product: SQL, Python or dbt, each fitted to its declaration."""
