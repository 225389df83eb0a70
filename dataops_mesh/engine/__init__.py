"""What computes: DuckDB sessions that see one release, read sources and write candidates."""
