"""A column of DuckDB as a property of a contract."""

from __future__ import annotations

from typing import Any

from dataops_mesh.spec.names import is_column
from dataops_mesh.spec.types.physical import FAMILIES, TYPES, normalise
from dataops_mesh.spec.types.shape import Kind, Shape, read_shape

Property = dict[str, Any]
# The contract's plain type holds their values exactly; a narrower one would only break readers.
_PLAIN = frozenset(
    {
        *("VARCHAR", "ENUM", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIME", "TIMESTAMP"),
    }
)
_AWARE = {"TIMESTAMP WITH TIME ZONE": "timestamp", "TIME WITH TIME ZONE": "time"}


def property_of(name: str, type_: str) -> Property | None:
    """Return a property with the type of a column; None where no contract can say it.

    >>> property_of("id", "INTEGER")
    {'name': 'id', 'logicalType': 'integer'}
    >>> property_of("price", "DECIMAL(18,2)")
    {'name': 'price', 'logicalType': 'number', 'physicalType': 'DECIMAL(18,2)'}
    >>> property_of("waits", "INTERVAL"), property_of('a"b', "VARCHAR")
    (None, None)
    """
    found = _typed(type_)
    return {"name": name, **found} if found is not None and is_column(name) else None


def _typed(type_: str) -> Property | None:
    bare = type_.partition("(")[0] if type_.startswith("ENUM(") else type_
    # Only what DuckDB itself calls a type: another system's BIT is a boolean, its own is not.
    name = normalise(bare) if bare.partition("(")[0] in TYPES else None
    if name is None and bare in {"BIT", "BITSTRING"}:
        return None
    if name is None:
        shape = read_shape(type_)
        return None if shape is None else _nested(shape)
    if name in _AWARE:
        return {"logicalType": _AWARE[name], "logicalTypeOptions": {"timezone": True}}
    families = (f for f, names in FAMILIES.items() if name.partition("(")[0] in names)
    logical = next(families, None)
    if logical is None:
        return None
    return (
        {"logicalType": logical}
        if name in _PLAIN
        else {
            "logicalType": logical,
            "physicalType": name,
        }
    )


def _nested(shape: Shape) -> Property | None:
    if shape.kind is Kind.SCALAR:
        return _typed(shape.accepted[0])
    parts = {name: _nested(part) for name, part in shape.parts}
    if any(part is None for part in parts.values()):
        return None
    if shape.kind is Kind.LIST:
        return {"logicalType": "array", "items": parts["item"]}
    if shape.kind is Kind.MAP:
        return {"logicalType": "map", "map": parts}
    fields = [{"name": name, **(part or {})} for name, part in parts.items()]
    return {"logicalType": "object", "properties": fields} if fields else None
