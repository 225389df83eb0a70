"""Reads one column of a contract: its type, what its values may be, and what is inside it."""
