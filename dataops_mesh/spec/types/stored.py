"""The one type in which each column is stored: what the contract says, whatever today's rows are.

integer is BIGINT, number DOUBLE, timestamp TIMESTAMP (TIMESTAMPTZ with `timezone: true`), string
VARCHAR; `format` and `physicalType` narrow. Parquet has no type for some that people may declare:
their values are stored as another one that holds them all.
"""

from __future__ import annotations

from dataclasses import replace

from dataops_mesh.spec.terms import Column, ColumnOptions, Contract
from dataops_mesh.spec.types.formats import NUMBERS
from dataops_mesh.spec.types.physical import FAMILIES
from dataops_mesh.spec.types.shape import Kind, Shape

_PLAIN = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
}
_AWARE = {"timestamp": "TIMESTAMP WITH TIME ZONE", "time": "TIME WITH TIME ZONE"}
# What Parquet would round or forget, and what holds it; a value is still held to the narrower one.
_KEPT_AS = {
    "HUGEINT": "DECIMAL(38,0)",
    "UHUGEINT": "DECIMAL(38,0)",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
}
Wanted = dict[str, Shape]


def wanted_types(contract: Contract) -> Wanted:
    """Return the type that each column of a contract has."""
    return {column.name: declared(column) for column in contract.columns}


def declared(column: Column) -> Shape:
    """Return the one type that the contract says of a column."""
    if column.shape is not None:
        return _single(column.shape)
    plain = column.physical_type or _of(column.logical_type, column.options)
    return Shape(Kind.SCALAR, (plain,))


def kept_as(name: str) -> str:
    """Return the type in which values of a declared type are stored.

    >>> kept_as("HUGEINT"), kept_as("INTEGER")
    ('DECIMAL(38,0)', 'INTEGER')
    """
    return _KEPT_AS.get(name, name)


def stored(shape: Shape) -> Shape:
    """Return the type in which a declared one is stored, all the way down."""
    if shape.kind is Kind.SCALAR:
        return Shape(Kind.SCALAR, tuple(kept_as(name) for name in shape.accepted))
    return replace(shape, parts=tuple((name, stored(part)) for name, part in shape.parts))


def _of(logical: str, options: ColumnOptions) -> str:
    if logical in NUMBERS and options.format is not None:
        signed = [name for name in NUMBERS[logical][options.format] if not name.startswith("U")]
        return (signed or NUMBERS[logical][options.format])[-1]
    return _AWARE[logical] if options.timezone and logical in _AWARE else _PLAIN[logical]


def _single(shape: Shape) -> Shape:
    """Return the shape with one type where a family of them would do."""
    if shape.kind is Kind.SCALAR and len(shape.accepted) > 1:
        logical = next(name for name, family in FAMILIES.items() if family == shape.accepted)
        return Shape(Kind.SCALAR, (_PLAIN[logical],))
    return replace(shape, parts=tuple((name, _single(part)) for name, part in shape.parts))
