"""Where data lives and is computed: a small immutable log over immutable Parquet, and DuckDB."""
