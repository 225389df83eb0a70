"""How JSON with a contract is read: the keys that are promised, as what they are promised to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.convert import spelled
from dataops_mesh.engine.delivery import UnclearDelivery
from dataops_mesh.engine.promised import (
    Delivery,
    Promised,
    new_of,
    require_columns,
    require_spelled,
    select,
)
from dataops_mesh.engine.record_text import (
    ARRAY,
    BROKEN,
    OBJECT,
    WHOLE,
    Found,
    as_delivered,
    has_long,
    of_values,
    records_in,
    require_names,
)
from dataops_mesh.engine.records import kinds, require_whole_inside
from dataops_mesh.spec.types.stored import stored

if TYPE_CHECKING:
    import duckdb

_NESTED = OBJECT | ARRAY


def promised_json(
    con: duckdb.DuckDBPyConnection,
    found: Sequence[Path],
    options: Mapping[str, Any],
    columns: Sequence[Promised],
) -> tuple[str, list[str]]:
    """Return the relation over JSON files as promised, and the keys that are new.

    Raises:
        UnclearDelivery: a key is gone, or a value is none of its type.
    """
    files = records_in(found, options)
    given = kinds(con, files)
    files = replace(files, values=of_values(con, files, given))
    names = [column.name for column in given]
    if names == ["json"] and not con.execute(f"FROM {files.texts} LIMIT 1").fetchall():
        empty = {c.name: f"CAST(NULL AS {_kind(c)})" for c in columns}
        return f"(SELECT * FROM {select(columns, empty, '(SELECT 1)')} WHERE false)", []
    require_columns(found[0].name, names, columns)
    by_name = {column.name: column for column in given}
    promised = {column.at for column in columns}
    require_names(con, files, [column for column in given if column.name in promised])
    read = [replace(by_name[c.at], kind=_kind(c), text=bool(c.kind)) for c in columns]
    _require_plain(columns, read)
    long = any(c.kinds & (BROKEN | _NESTED) for c in read) and has_long(con, files)
    for one in read:
        if not one.text:
            require_whole_inside(con, files, one, long=long)
    exactly = any(
        (one.kinds & (BROKEN | WHOLE) and c.kind in {"VARCHAR", "JSON"})
        or (one.kinds & BROKEN and long)
        for c, one in zip(columns, read, strict=True)
    )

    def scan(paths: Sequence[Path]) -> str:
        own = replace(files, found=paths)
        if exactly:
            return as_delivered(own, read)
        return own.scan(
            columns={one.name: one.kind for one in read},
            **({"records": "false"} if files.values else {}),
        )

    texts = {column.name: sql.identifier(column.at) for column in columns}
    require_spelled(con, Delivery(found, scan, {}), columns, texts)
    return select(columns, texts, scan(found)), new_of([names], columns)


def _kind(column: Promised) -> str:
    """Return the type in which a column is read first: of plain values, text."""
    return "VARCHAR" if column.kind else spelled(stored(column.shape))


def _require_plain(columns: Sequence[Promised], read: Sequence[Found]) -> None:
    """Make sure that plain values are promised where plain values are, and objects where these are.

    Raises:
        UnclearDelivery: with the column.
    """
    for column, one in zip(columns, read, strict=True):
        if column.kind == "JSON":
            continue
        nested = bool(one.kinds & _NESTED)
        if one.kinds and nested == bool(column.kind):
            told = "objects or arrays" if nested else "plain values"
            what = f'column "{column.at}" has {told}: expected {column.expected}'
            raise UnclearDelivery(what, "promise in the contract of the source what is delivered")
