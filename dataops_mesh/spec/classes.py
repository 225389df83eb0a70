"""The classes of a column that everybody here knows, from harmless to secret."""

CLASSES = ("public", "internal", "confidential", "restricted")
