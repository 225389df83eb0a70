"""Reads what a product reads: published ports, sources and where they are fetched, `self`."""
