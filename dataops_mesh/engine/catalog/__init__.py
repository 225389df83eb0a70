"""`catalogs/<domain>.duckdb`: what a domain publishes as views, for any DuckDB client."""
