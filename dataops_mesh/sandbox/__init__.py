"""Sandboxes as people use them: opened, compared, tried in, promoted, taken down."""
