"""Delivered JSON as text: where a record begins, and every number with the digits it came with."""

from __future__ import annotations

import gzip
import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.convert import spelled
from dataops_mesh.engine.delivery import UnclearDelivery
from dataops_mesh.engine.spelling import value
from dataops_mesh.spec.types.shape import Kind, read_shape

if TYPE_CHECKING:
    import duckdb

READER, _OBJECTS = "read_json", "read_json_objects"
_RAW = {"format", "maximum_object_size", "compression"}  # options that say where a record ends
# The kinds of values of a column, as bits.
TEXT, OBJECT, ARRAY, TRUTH, WHOLE, BROKEN = 1, 2, 4, 8, 16, 32
# A number of so many digits that a double may be another one, or out of its range.
LONG = "|".join(
    [
        *(f"[0-9]{{{n}}}[.][0-9]{{{16 - n}}}" for n in range(1, 16)),
        "[0-9]{16,}[.eE]",
        "[0-9.]+[eE][+-]?[0-9]{3}",
    ]
)
LONG_NUMBER = rf"[:,\[\s]-?({LONG})"
# Strings and all else up to a number; what follows the last number is led up to one of our own.
_UP_TO_NUMBER = r'((?:"(?:[^"\\]|\\.)*"|[^"0-9-]|-[^0-9"])*)(-?[0-9][0-9.eE+-]*)'
_OURS = ' "0"'
_MARKED = 4096  # so far a mark, and white space, is looked for
_UNNAMED = re.compile(r"C\d+(_\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Records:
    """What is delivered.

    Args:
        found: the files.
        options: what the input port says.
        values: the records are plain values, for which one column `json` stands.
    """

    found: Sequence[Path]
    options: Mapping[str, Any]
    values: bool = False

    def scan(self, **more: Any) -> str:
        """Return the relation in which DuckDB finds columns and types."""
        whole = {"maximum_sample_files": len(self.found), **self.options, **more}
        return sql.scan(READER, self.found, whole)

    @property
    def texts(self) -> str:
        """Return the relation of the records as delivered."""
        raw = {key: self.options[key] for key in _RAW & self.options.keys()}
        return sql.scan(_OBJECTS, self.found, raw)


@dataclass(frozen=True, slots=True)
class Found:
    """What a column of the delivery is.

    Args:
        name: the column.
        kinds: the kinds of its values, as bits.
        digits: how long the longest number is.
        kind: the type in which it is read.
        text: read as text with numbers as delivered, then cast.
    """

    name: str
    kinds: int
    digits: int
    kind: str = "VARCHAR"
    text: bool = False


def records_in(found: Sequence[Path], options: Mapping[str, Any]) -> Records:
    """Return what is delivered; where a mark stands before an array, DuckDB is told that it is one.

    Without that it takes the whole array for one record.
    """
    if "format" not in options and any(map(_is_marked_array, found)):
        return Records(found, {**options, "format": "array"})
    return Records(found, options)


def _is_marked_array(file: Path) -> bool:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
        start = opened.read(_MARKED)
    return start.startswith(BOM_UTF8) and start.removeprefix(BOM_UTF8).lstrip().startswith(b"[")


def require_names(con: duckdb.DuckDBPyConnection, files: Records, columns: Sequence[Found]) -> None:
    """Refuse a key without a name: DuckDB calls it C0, and would then read the key C0, as null.

    Raises:
        UnclearDelivery: there is one.
    """
    if not any(_UNNAMED.fullmatch(column.name) for column in columns):
        return
    query = f"SELECT 1 FROM {files.texts} WHERE list_contains(json_keys(json), '') LIMIT 1"
    if con.execute(query).fetchall():
        what = 'a record has a key without a name (""), and a column needs one'
        raise UnclearDelivery(what, "have it delivered with a name")


def has_long(con: duckdb.DuckDBPyConnection, files: Records) -> bool:
    """Tell whether a number is so long that a double may be another one."""
    test = f"regexp_matches(json, {sql.literal(LONG_NUMBER)})"
    query = f"SELECT 1 FROM {files.texts} WHERE {test} LIMIT 1"
    return bool(con.execute(query).fetchall())


def as_delivered(files: Records, columns: Sequence[Found]) -> str:
    """Return the relation in which numbers were text first: JSON itself would make them doubles."""
    record = """'{"json":' || json || '}'""" if files.values else "json"
    texts = f"regexp_replace({record} || ' 0', {sql.literal(_UP_TO_NUMBER)}, '\\1\"\\2\"', 'g')"
    whole = f"CAST(left({texts}, -{len(_OURS)}) AS JSON)"
    shape = ", ".join(
        f"{_key(column.name)}:{_key('VARCHAR') if column.text else _transformed(column.kind)}"
        for column in columns
    )
    parsed = f"json_transform({whole}, {sql.literal('{' + shape + '}')})"
    shown = []
    for column in columns:
        name = sql.identifier(column.name)
        field = f"struct_extract(t, {sql.literal(column.name)})"
        cast = column.text and column.kind != "VARCHAR"
        shown.append(f"{value(field, column.kind) if cast else field} AS {name}")
    source = f"SELECT {parsed} AS t FROM {files.texts}"
    return f"(SELECT {', '.join(shown)} FROM ({source}))"


def _key(name: str) -> str:
    return json.dumps(name)


def _transformed(kind: str) -> str:
    """Return a type as `json_transform` reads it."""
    shape = read_shape(kind)
    if shape is None:
        return _key(kind)
    parts = [_transformed(spelled(part)) for _, part in shape.parts]
    match shape.kind:
        case Kind.LIST:
            return f"[{parts[0]}]"
        case Kind.STRUCT:
            named = zip(shape.parts, parts, strict=True)
            return "{" + ",".join(f"{_key(name)}:{part}" for (name, _), part in named) + "}"
    return _key(kind)


def of_values(con: duckdb.DuckDBPyConnection, files: Records, columns: Sequence[Found]) -> bool:
    """Tell whether the delivery is of plain values, not of objects."""
    if [column.name for column in columns] != ["json"]:
        return False
    row = con.execute(f"SELECT json_type(json) FROM {files.texts} LIMIT 1").fetchone()
    return row is not None and row[0] != "OBJECT"
