"""Turns a source that is elsewhere into files: of the web, of a bucket, of a query.

Only the gate fetches. What was fetched lies in the store's cache, with a note of what it was, so
that nothing new is not fetched again; everybody else reads the note.
"""
