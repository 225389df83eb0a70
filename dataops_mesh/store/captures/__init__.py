"""The bytes of sources as they were delivered, by content: what a publication was built from."""
