"""DuckDB's types: the names people write, and which of them fit a logical type of ODCS."""

from __future__ import annotations

import re

_ALIASES = {
    "BIGINT": "INT64 INT8 LONG OID",
    "BLOB": "BINARY BYTEA VARBINARY",
    "BOOLEAN": "BOOL LOGICAL",
    "DATE": "",
    "DECIMAL": "DEC NUMERIC",
    "DOUBLE": "FLOAT8",
    "ENUM": "",
    "FLOAT": "FLOAT4 REAL",
    "HUGEINT": "INT128",
    "INTEGER": "INT INT4 INT32 INTEGRAL SIGNED",
    "INTERVAL": "",
    "JSON": "",
    "SMALLINT": "INT2 INT16 SHORT",
    "TIME": "",
    "TIME WITH TIME ZONE": "TIMETZ",
    "TIMESTAMP": "DATETIME TIMESTAMP_US",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "TIMESTAMP_MS": "",
    "TIMESTAMP_NS": "",
    "TIMESTAMP_S": "",
    "TIME_NS": "",
    "TINYINT": "INT1",
    "UBIGINT": "UINT64",
    "UHUGEINT": "UINT128",
    "UINTEGER": "UINT32",
    "USMALLINT": "UINT16",
    "UTINYINT": "UINT8",
    "UUID": "GUID",
    "VARCHAR": "BPCHAR CHAR NVARCHAR STRING TEXT",
}
TYPES = {alias: name for name, text in _ALIASES.items() for alias in (name, *text.split())}
_SHAPE = re.compile(r"([A-Z_][A-Z0-9_ ]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")

_INTEGERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
    "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
)  # fmt: skip
_NAIVE = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_AWARE = ("TIMESTAMP WITH TIME ZONE",)
FAMILIES = {
    "string": ("VARCHAR", "UUID", "ENUM", "JSON"),
    "integer": _INTEGERS,
    "number": (*_INTEGERS, "DECIMAL", "FLOAT", "DOUBLE"),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "timestamp": (*_NAIVE, *_AWARE),
    "time": ("TIME", "TIME_NS", "TIME WITH TIME ZONE"),
}


def normalise(text: str) -> str | None:
    """Return DuckDB's own name of a type, or None if it has none.

    A bare DECIMAL stands for a decimal of any width; lengths of text mean nothing to DuckDB.

    >>> normalise("varchar(3)"), normalise("numeric(18, 2)"), normalise("timestamptz")
    ('VARCHAR', 'DECIMAL(18,2)', 'TIMESTAMP WITH TIME ZONE')
    >>> normalise("NUMBER(38)")
    """
    found = _SHAPE.fullmatch(" ".join(text.upper().split()))
    name = TYPES.get(found[1]) if found else None
    if found is None or name is None or (found[2] and name not in {"DECIMAL", "VARCHAR"}):
        return None
    if name == "DECIMAL" and found[2]:
        return f"DECIMAL({int(found[2])},{int(found[3] or 0)})"
    return name


def accepted_types(logical: str, *, timezone: bool | None = None) -> tuple[str, ...]:
    """Return the types that fit a logical type.

    >>> accepted_types("timestamp", timezone=True)
    ('TIMESTAMP WITH TIME ZONE',)
    """
    if logical == "timestamp" and timezone is not None:
        return _AWARE if timezone else _NAIVE
    if logical == "time" and timezone is not None:
        return ("TIME WITH TIME ZONE",) if timezone else ("TIME", "TIME_NS")
    return FAMILIES[logical]


def is_accepted(actual: str, accepted: tuple[str, ...]) -> bool:
    """Tell whether a column's type, as DuckDB describes it, is one of the accepted ones.

    An accepted name without parameters accepts all parameters.

    >>> is_accepted("DECIMAL(18,2)", ("DECIMAL",)), is_accepted("DECIMAL(9,2)", ("DECIMAL(18,2)",))
    (True, False)
    >>> is_accepted("INTEGER[]", ("INTEGER",))
    False
    """
    bare = actual.partition("(")[0] if actual.endswith(")") else actual
    return actual in accepted or bare in accepted
