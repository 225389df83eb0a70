"""Puts this folder on the path: its rooms share the cases that stand here."""
