"""Declarations that were parsed before: kept as plain data, by the content of their files."""
