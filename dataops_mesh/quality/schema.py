"""Compares the columns of a relation with those of a contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dataops_mesh.quality.values import FLOATS, INTEGERS, base, is_number
from dataops_mesh.spec.checks.measures import ColumnShape, ColumnType, TableSchema
from dataops_mesh.spec.types.physical import is_accepted
from dataops_mesh.spec.types.shape import fits


@dataclass(frozen=True, slots=True)
class Differences:
    """How a relation's columns differ from the contract's.

    Args:
        missing: columns that are declared and absent.
        undeclared: columns that are there and not declared.
        mistyped: columns of another type than declared.
    """

    missing: tuple[str, ...]
    undeclared: tuple[str, ...]
    mistyped: tuple[ColumnType | ColumnShape, ...]


def differences(schema: TableSchema, columns: Mapping[str, str]) -> Differences:
    """Return how columns differ from the declared ones.

    Args:
        schema: what the contract says.
        columns: the relation's columns and their types, as DuckDB spells them.
    """
    declared = {one.column: one for one in schema.columns}
    there = [one for name, one in declared.items() if name in columns]
    return Differences(
        missing=tuple(name for name in declared if name not in columns),
        undeclared=tuple(name for name in columns if name not in declared),
        mistyped=tuple(one for one in there if not _has_type(columns[one.column], one)),
    )


def wanted(one: ColumnType | ColumnShape) -> str:
    """Return the type that a column must have, for people.

    >>> wanted(ColumnType("a", ("DATE", "TIMESTAMP")))
    'DATE or TIMESTAMP'
    """
    return str(one.shape) if isinstance(one, ColumnShape) else " or ".join(one.accepted)


def cure(found: str, one: ColumnType | ColumnShape) -> str:
    """Return what to do about a column of another type, of which some value did not fit.

    >>> cure("VARCHAR", ColumnType("a", ("DATE",)))
    'text never becomes another type by itself: cast it in the transform'
    >>> "types: {a: VARCHAR}" in cure("TIME", ColumnType("a", ("VARCHAR",)))
    True
    >>> cure("DOUBLE", ColumnType("a", ("BIGINT",)))
    'some value is not exactly BIGINT: cast or round it in the transform, or promise a number'
    """
    if isinstance(one, ColumnShape):
        return "cast it in the transform, or declare what it holds"
    target = one.accepted[0]
    if found == "VARCHAR" and target == "DECIMAL(38,0)":
        return (
            "text never becomes another type, and a number of more than 38 digits can only be "
            "kept as text: cast it in the transform"
        )
    if found in {"VARCHAR", "JSON"}:
        return "text never becomes another type by itself: cast it in the transform"
    if target == "VARCHAR":
        return (
            "a cast may spell it otherwise than it came: a contract of the source, or its option "
            f"`types: {{{one.column}: VARCHAR}}`, keeps the text; else cast it in the transform"
        )
    if not (is_number(found) and is_number(target)):
        return "cast it in the transform, or promise the type that it has"
    begin = f"some value is not exactly {target}: cast or round it in the transform, or promise"
    if base(found) in FLOATS | {"DECIMAL"} and base(target) in INTEGERS:
        return f"{begin} a number"
    return f"{begin} it with `physicalType: {found}`"


def as_published(schema: TableSchema) -> TableSchema:
    """Return what the columns may be of what was published by earlier versions of the library."""
    return TableSchema(tuple(map(_older, schema.columns)))


def _older(one: ColumnType | ColumnShape) -> ColumnType | ColumnShape:
    if isinstance(one, ColumnShape):
        return replace(one, shape=one.older or one.shape)
    return replace(one, accepted=(*one.accepted, *one.older))


def _has_type(found: str, one: ColumnType | ColumnShape) -> bool:
    if isinstance(one, ColumnShape):
        return fits(found, one.shape)
    return is_accepted(found, one.accepted)
