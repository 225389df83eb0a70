"""How PostgreSQL stores each type of DuckDB, and how a value is written for it, exactly."""

from __future__ import annotations

import re

from dataops_mesh.engine import sql

_SAME = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "UTINYINT": "smallint",
    "USMALLINT": "integer",
    "UINTEGER": "bigint",
    "UBIGINT": "numeric(20,0)",
    "HUGEINT": "numeric(39,0)",
    "UHUGEINT": "numeric(39,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "UUID": "uuid",
    "TIME": "time",
    "TIME WITH TIME ZONE": "timetz",
    "INTERVAL": "interval",
    "JSON": "jsonb",
}
_DATED = {
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_NESTED = ("STRUCT(", "MAP(", "UNION(")


def stored_as(kind: str) -> str:
    """Return the type that a column has in PostgreSQL.

    A type that PostgreSQL would round, as a timestamp of nanoseconds, is text there.

    >>> stored_as("DECIMAL(18,4)"), stored_as("STRUCT(a INTEGER)"), stored_as("TIMESTAMP_NS")
    ('numeric(18,4)', 'jsonb', 'text')
    """
    if found := _DECIMAL.fullmatch(kind):
        return f"numeric({found[1]},{found[2]})"
    if is_nested(kind):
        return "jsonb"
    if kind == "BLOB":
        return "bytea"
    return _SAME.get(kind) or _DATED.get(kind) or "text"


def written(name: str, kind: str) -> str:
    """Return the expression of DuckDB whose text PostgreSQL reads as the very value.

    >>> written("a", "BIGINT"), written("a", "VARCHAR[]")
    ('"a"', 'to_json("a")')
    """
    column = sql.identifier(name)
    if is_nested(kind):
        return f"to_json({column})"
    if kind == "BLOB":
        return f"'\\x' || hex({column})"
    if kind in _DATED:  # PostgreSQL says BC without brackets
        return f"replace({column}::VARCHAR, '(BC)', 'BC')"
    return column


def is_nested(kind: str) -> bool:
    """Tell whether a type is made of others."""
    return kind.endswith("]") or kind.startswith(_NESTED)
