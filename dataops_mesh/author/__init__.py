"""Writes declarations for people: of what is there already, new ones."""
