"""Declarations: ODPS and ODCS files, parsed, validated and frozen."""
