"""The gate process: it audits, decides, records and commits, and has never run domain code."""
