"""Dagster's SQLite event log for instances that `mesh` wrote: same files, kept connections.

Dagster's own class makes an engine and a connection for every statement and closes it, which was
most of the time that a small product took. This room is the only one that may name Dagster's
inner modules; `known.py` says of which of their members it must be sure.
"""
