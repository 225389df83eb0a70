"""Copies of published ports, where consumers are: derived from the log, and never the truth."""
