"""How delivered JSON is read without guessing: text stays text, and a number every digit of it.

DuckDB takes texts that look like days or UUIDs for these, reads numbers as doubles, and a column
of several types as JSON, in which texts have quotes. Here the kinds of values that a column has
decide: texts are VARCHAR, whole numbers BIGINT or what holds them, others DOUBLE if every one of
them is a double, else DECIMAL. Plain values of several kinds are text as delivered. Objects and
arrays are typed as DuckDB finds them, with text left as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.convert import spelled
from dataops_mesh.engine.delivery import UnclearDelivery
from dataops_mesh.engine.record_text import (
    ARRAY,
    BROKEN,
    LONG,
    OBJECT,
    READER,
    TEXT,
    TRUTH,
    WHOLE,
    Found,
    Records,
    as_delivered,
    has_long,
    of_values,
    records_in,
    require_names,
)
from dataops_mesh.engine.spelling import spells
from dataops_mesh.spec.types.shape import Kind, Shape, read_shape

if TYPE_CHECKING:
    import duckdb

_NESTED, _NUMBERS = OBJECT | ARRAY, WHOLE | BROKEN
_MARKS = {'"': TEXT, "{": OBJECT, "[": ARRAY, "t": TRUTH, "f": TRUTH, "n": 0}
_BIGINT, _DOUBLE, _DECIMAL = 18, 15, 38  # so many digits always fit
_SAY = "deliver it as text, or as a column of its own with a type in the contract of the source"
_GUESSED = {"DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "UUID"}


def records(
    con: duckdb.DuckDBPyConnection, found: Sequence[Path], options: Mapping[str, Any]
) -> str:
    """Return the relation over JSON files with every value as delivered.

    Args:
        con: the session.
        found: the files.
        options: what the input port says of where records begin and end.

    Raises:
        UnclearDelivery: plain values stand beside objects, or a number fits no type.
    """
    files = records_in(found, options)
    columns = kinds(con, files)
    require_names(con, files, columns)
    _one_spelling(con, files, columns)
    files = replace(files, values=of_values(con, files, columns))
    doubtful = any(column.kinds & (BROKEN | _NESTED) for column in columns)
    long = doubtful and has_long(con, files)
    settled = [_settle(con, files, column, long=long) for column in columns]
    if any(column.kinds & _NESTED for column in settled):
        settled = _nested(con, files, settled, long=long)
    if any(column.text for column in settled):
        return as_delivered(files, settled)
    plain = {**files.options, "columns": {column.name: column.kind for column in settled}}
    return sql.scan(READER, found, {**plain, "records": "false"} if files.values else plain)


def kinds(con: duckdb.DuckDBPyConnection, files: Records) -> list[Found]:
    """Return the columns and the kinds of their values, of every record."""
    shallow = {"maximum_depth": 1, "map_inference_threshold": -1}
    try:
        return _kinds_of(con, files.scan(**shallow))
    except sql.engine_error():  # a key that the sample did not have
        return _kinds_of(con, files.scan(**shallow, sample_size=-1))


def _kinds_of(con: duckdb.DuckDBPyConnection, relation: str) -> list[Found]:
    names = [str(row[0]) for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()]
    tests = []
    for name in names:
        text = f"CAST({sql.identifier(name)} AS VARCHAR)"
        kinds = " ".join(f"WHEN {sql.literal(mark)} THEN {kind}" for mark, kind in _MARKS.items())
        number = f"CASE WHEN regexp_matches({text}, '[.eENnIi]') THEN {BROKEN} ELSE {WHOLE} END"
        kind = f"CASE left({text}, 1) {kinds} ELSE {number} END"
        tests.append(f"coalesce(bit_or(CASE WHEN {text} IS NOT NULL THEN {kind} END), 0)")
        digits = f"max(CASE WHEN left({text}, 1) BETWEEN '-' AND '9' AND NOT"
        digits += f" contains({text}, '.') THEN length({text}) END)"
        tests.append(f"coalesce({digits}, 0)")
    [row] = con.execute(f"SELECT {', '.join(tests)} FROM {relation}").fetchall()
    return [Found(name, row[2 * at], row[2 * at + 1]) for at, name in enumerate(names)]


def _one_spelling(
    con: duckdb.DuckDBPyConnection,
    files: Records,
    columns: Sequence[Found],
) -> None:
    """Refuse two keys that differ by case only: the second would be another column, or none."""
    names = {column.name.lower() for column in columns}
    for column in columns:
        base = re.sub(r"_[0-9]+$", "", column.name).lower()
        if base == column.name.lower() or base not in names:
            continue
        path = sql.literal('$."' + column.name.replace('"', '\\"') + '"')
        query = f"FROM {files.texts} WHERE json_exists(json, {path}) LIMIT 1"
        if not con.execute(query).fetchall():
            what = f'the keys of "{base}" differ by case only, and a column has one spelling'
            raise UnclearDelivery(what, _SAY)


def _settle(
    con: duckdb.DuckDBPyConnection,
    files: Records,
    column: Found,
    *,
    long: bool,
) -> Found:
    """Return the column with the type that holds its plain values."""
    kinds = column.kinds
    if kinds & _NESTED:
        if kinds & ~_NESTED or kinds == _NESTED:
            other = "plain values" if kinds & ~_NESTED else "arrays"
            what = f'column "{column.name}" has objects or arrays beside {other}'
            raise UnclearDelivery(what, _SAY)
        return column
    if kinds in {0, TEXT}:
        return column
    if kinds == TRUTH:
        return replace(column, kind="BOOLEAN")
    if kinds & ~_NUMBERS:
        return replace(column, text=bool(kinds & _NUMBERS))
    if not kinds & BROKEN:
        if column.digits <= _BIGINT:
            return replace(column, kind="BIGINT")
        return _first(con, files, column, ("BIGINT", "HUGEINT"))
    if not long and column.digits <= _DOUBLE:
        return replace(column, kind="DOUBLE")
    return _first(con, files, column, ("DOUBLE",))


def _first(
    con: duckdb.DuckDBPyConnection,
    files: Records,
    column: Found,
    kinds: Sequence[str],
) -> Found:
    """Return the column with the first type that holds all of its numbers."""
    relation = as_delivered(files, [replace(column, text=True)])
    name = sql.identifier(column.name)
    tests = [f"coalesce(bool_and({name} IS NULL OR {spells(name, kind)}), true)" for kind in kinds]
    plain = f"regexp_full_match({name}, '-?[0-9]+([.][0-9]+)?')"
    tests += [
        f"coalesce(bool_and({name} IS NULL OR {plain}), true)",
        f"coalesce(max(length(ltrim(split_part({name}, '.', 1), '-'))), 1)",
        f"coalesce(max(length(split_part({name}, '.', 2))), 0)",
    ]
    [row] = con.execute(f"SELECT {', '.join(tests)} FROM {relation}").fetchall()
    for kind, fits in zip(kinds, row, strict=False):
        if fits:  # of doubles and BIGINT, DuckDB reads the same number itself
            return replace(column, kind=kind, text=kind == "HUGEINT")
    fixed, before, behind = row[len(kinds) :]
    if fixed and before + behind <= _DECIMAL:
        return replace(column, kind=f"DECIMAL({_DECIMAL},{behind})", text=True)
    return replace(column, text=True)


def _nested(
    con: duckdb.DuckDBPyConnection,
    files: Records,
    columns: Sequence[Found],
    *,
    long: bool,
) -> list[Found]:
    """Return the columns with the types of objects and arrays, as DuckDB finds them."""
    described = con.execute(f"DESCRIBE FROM {files.scan(sample_size=-1)}").fetchall()
    types = {str(name): str(kind) for name, kind, *_ in described}
    settled = []
    for column in columns:
        if not column.kinds & _NESTED:
            settled.append(column)
            continue
        shape = read_shape(types.get(column.name, ""))
        kind = spelled(_unguessed(shape)) if shape else "JSON"
        settled.append(replace(column, kind=kind))
    for column in settled:
        if column.kinds & _NESTED:
            require_whole_inside(con, files, column, long=long)
    return settled


def require_whole_inside(
    con: duckdb.DuckDBPyConnection, files: Records, column: Found, *, long: bool
) -> None:
    """Make sure that no number inside an object or array is one that a double may not hold.

    Raises:
        UnclearDelivery: there may be one.
    """
    if not re.search("DOUBLE|JSON|FLOAT|DECIMAL", column.kind):
        return
    name = sql.identifier(column.name)
    if long:
        relation = as_delivered(files, [replace(column, kind="JSON")])
        test = rf'"-?({LONG}|[0-9]{{16,}})'
    else:
        relation = files.scan(columns={column.name: "JSON"})
        test = r"[:,\[]-?[0-9]{16,}"
    query = f"SELECT 1 FROM {relation} WHERE regexp_matches(CAST({name} AS VARCHAR), "
    if con.execute(f"{query}{sql.literal(test)}) LIMIT 1").fetchall():
        what = f'column "{column.name}" has a number inside that a double may not hold'
        raise UnclearDelivery(what, _SAY)


def _unguessed(shape: Shape) -> Shape:
    """Return the shape with text where DuckDB saw a day, a time or a UUID in text."""
    if shape.kind is Kind.SCALAR and shape.accepted[0] in _GUESSED:
        return Shape(Kind.SCALAR, ("VARCHAR",))
    return replace(shape, parts=tuple((name, _unguessed(part)) for name, part in shape.parts))
