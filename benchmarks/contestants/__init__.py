"""The contestants: each prepares, and returns the work that is measured."""
