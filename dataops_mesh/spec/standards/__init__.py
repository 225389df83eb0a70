"""The standards: JSON schemas of ODPS and ODCS, what we do with each field, editors."""
