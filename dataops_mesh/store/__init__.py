"""Where bytes are kept: a small immutable log over immutable files, and who uses what."""
