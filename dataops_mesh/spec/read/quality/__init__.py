"""Reads quality rules: what each measures, demands and is called."""
