"""Turns what a transform returned into the contract's types, exactly or not at all.

A value is converted where casting it there and back gives the same value; a null of any type is a
null. The casts stand in the SELECT that is copied, so that looking costs no pass of its own: the
first value that does not fit ends the copy. Text never becomes another type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.spec.types.physical import FAMILIES
from dataops_mesh.spec.types.shape import Kind, Shape, read_shape
from dataops_mesh.spec.types.stored import kept_as, stored

if TYPE_CHECKING:
    import duckdb

INEXACT = "dataops_mesh: not exactly"
_NUMBERS = frozenset(FAMILIES["number"])
_FLOATS = frozenset({"FLOAT", "DOUBLE"})
_WHOLE = _NUMBERS - _FLOATS - {"DECIMAL"}
_INSTANTS = frozenset(FAMILIES["timestamp"])
_TIMES = frozenset(FAMILIES["time"])
# From what a type may come; whatever else may only hold nulls.
_FROM = {
    **dict.fromkeys(_NUMBERS, _NUMBERS),
    **dict.fromkeys(_INSTANTS, _INSTANTS | {"DATE"}),
    **dict.fromkeys(_TIMES, _TIMES),
    "DATE": _INSTANTS - {"TIMESTAMP WITH TIME ZONE"} | {"DATE"},
    # Numbers and days that a delivery spelled as their type does are that text again.
    "VARCHAR": frozenset(FAMILIES["string"]) | _WHOLE | {"DATE"},
}
_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128,
         "FLOAT": 25, "DOUBLE": 54}  # fmt: skip
_DIGITS = {"DOUBLE": 15, "FLOAT": 6}  # they hold every decimal number of so many digits
Columns = Mapping[str, str]


def conversions(found: Columns, wanted: Mapping[str, Shape]) -> dict[str, str]:
    """Return the expression of each column that does not have the contract's type yet.

    Args:
        found: the columns and types of what the transform returned.
        wanted: the declared types; of columns that it did not return, nothing is said.
    """
    made = {}
    for name, kind in found.items():
        want = wanted.get(name)
        shape = read_shape(kind)
        if want is None or shape == want == stored(want):
            continue
        expression = _convert(sql.identifier(name), shape, want)
        if expression is not None:
            made[name] = expression
    return made


def never_becomes(found: str, want: Shape) -> bool:
    """Tell whether no value of a type can be a value of another, only its nulls.

    >>> text, day = (Shape(Kind.SCALAR, (name,)) for name in ("VARCHAR", "DATE"))
    >>> never_becomes("VARCHAR", day), never_becomes("TIMESTAMP", day)
    (True, False)
    >>> never_becomes("BOOLEAN", text)
    True
    """
    shape = read_shape(found)
    if shape is None or Kind.ANY in {shape.kind, want.kind}:
        return False
    if shape.kind is not want.kind:
        return True
    if shape.kind is not Kind.SCALAR:
        return False
    bare, target = (one.accepted[0].partition("(")[0] for one in (shape, want))
    return bare not in _FROM.get(target, {target})


def as_found(found: Columns, wanted: Mapping[str, Shape], names: Iterable[str]) -> dict[str, str]:
    """Return what is written of columns of which some value does not fit: never the wanted type.

    Parquet would round a HUGEINT to a DOUBLE, which may be just what was wanted.
    """
    made = {name: sql.identifier(name) for name in names}
    for name in made:
        shape = read_shape(found[name])
        if shape is None:
            continue
        same = stored(wanted[name]) == stored(shape)  # and a value that is not of the narrower one
        if same or shape != stored(shape):
            kept = "VARCHAR" if same else spelled(stored(shape))
            made[name] = f"TRY_CAST({sql.identifier(name)} AS {kept})"
    return made


def inexact(con: duckdb.DuckDBPyConnection, query: str, made: Mapping[str, str]) -> list[str]:
    """Return the columns of which some value cannot be converted."""
    found = []
    for name, expression in made.items():
        try:
            con.execute(f"SELECT count({expression}) FROM ({query})").fetchall()
        except sql.engine_error() as error:
            if INEXACT not in str(error):
                raise
            found.append(name)
    return found


def converted(query: str, made: Mapping[str, str]) -> str:
    """Return the query with its columns converted."""
    if not made:
        return query
    casts = ", ".join(f"{value} AS {sql.identifier(name)}" for name, value in made.items())
    return f"SELECT * REPLACE ({casts}) FROM ({query})"


def _convert(value: str, found: Shape | None, want: Shape) -> str | None:
    """Return the expression that is the value in the wanted type; None for the value itself."""
    anything = want.kind is Kind.ANY or (not _said(want) and found and found.kind is want.kind)
    if found is not None and anything:
        want = stored(found)  # nothing is said of what is inside, and Parquet shall not round it
    if want.kind is Kind.ANY or (found == want == stored(want)):
        return None
    if want.kind is Kind.SCALAR:
        return _scalar(value, found, want.accepted[0])
    if found is None or found.kind is not want.kind:
        return _nulls(value, want)
    ours, theirs = dict(want.parts), dict(found.parts)
    if ours.keys() != theirs.keys():
        return None  # the check of the schema says what differs
    if all(_convert("x", theirs[key], ours[key]) is None for key in ours):
        return None
    match want.kind:
        case Kind.LIST:
            return _items(value, theirs["item"], ours["item"])
        case Kind.MAP:
            keys = _items(f"map_keys({value})", theirs["key"], ours["key"])
            values = _items(f"map_values({value})", theirs["value"], ours["value"])
            return f"CASE WHEN {value} IS NOT NULL THEN MAP({keys}, {values}) END"
    fields = []
    for key, want_field in ours.items():
        field, name = f"struct_extract({value}, {sql.literal(key)})", sql.identifier(key)
        fields.append(f"{name} := {_convert(field, theirs[key], want_field) or field}")
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"


def _said(want: Shape) -> bool:
    return want.kind is Kind.SCALAR or bool(want.parts)


def _items(value: str, found: Shape, want: Shape) -> str:
    name = f"e{value.count('lambda')}"
    inner = _convert(name, found, want)
    return value if inner is None else f"list_transform({value}, lambda {name}: {inner})"


def _scalar(value: str, found: Shape | None, want: str) -> str | None:
    kind = found.accepted[0] if found is not None and found.kind is Kind.SCALAR else ""
    bare, target = kind.partition("(")[0], want.partition("(")[0]
    if want == "DECIMAL":  # of any width
        if bare == "DECIMAL":
            return None
        want = "DECIMAL(38,0)" if bare in _WHOLE else ""
    if kind == want == kept_as(want):
        return None
    if not want or bare not in _FROM.get(target, {target}):
        return _nulls(value, Shape(Kind.SCALAR, (want or "DECIMAL",)))
    kept = kept_as(want)
    if target == "VARCHAR":
        return f"CAST({value} AS VARCHAR)"
    if (bare, target) == ("FLOAT", "DOUBLE"):
        # The number that people read: -9.9 and not -9.899999618530273. Back, it is the same FLOAT.
        return f"CAST(CAST({value} AS VARCHAR) AS DOUBLE)"
    if kept == want and holds_all(bare, target):
        return f"CAST({value} AS {want})"
    there = _cast(value, kind, want)
    same = f"TRY_CAST({there} AS {kind}) IS NOT DISTINCT FROM {value}"
    if bare in _FLOATS and target not in _FLOATS:
        # Larger ones are whole because they are rounded.
        same += f" AND abs({value}) <= {2 ** (_BITS[bare] - 1)}"
    if kind.startswith("DECIMAL(") and target in _FLOATS:
        same += _short(value, kind, target)
    kept_value = there if kept == want else f"TRY_CAST({there} AS {kept})"
    held = f"{same} AND {kept_value} IS NOT NULL" if kept != want else same
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {held} THEN {kept_value} ELSE {_error()} END"


def holds_all(narrow: str, wide: str) -> bool:
    """Tell whether a type holds every number of another."""
    if not {narrow.removeprefix("U"), wide.removeprefix("U")} <= _BITS.keys():
        return False
    if narrow in _FLOATS:
        return wide == "DOUBLE"
    unsigned, signed = narrow.startswith("U"), not wide.startswith("U")
    if not unsigned and not signed:
        return False
    return _BITS[narrow.removeprefix("U")] + (unsigned and signed) <= _BITS[wide.removeprefix("U")]


def _short(value: str, kind: str, target: str) -> str:
    """Return the rest of the test that a double holds a decimal: DuckDB's cast back may be off."""
    width, scale = (int(part) for part in kind[8:-1].split(","))
    digits = _DIGITS[target]
    if width <= digits or scale == 0:
        return ""
    few = f"abs({value}) < {10 ** (digits - scale)}" if scale <= digits else f"{value} = 0"
    whole = f"{value} = trunc({value}) AND abs({value}) <= {2 ** (_BITS[target] - 1)}"
    return f" AND ({few} OR ({whole}))"


def _cast(value: str, kind: str, want: str) -> str:
    if kind.startswith("DECIMAL(") and want in _FLOATS:
        digits = int(kind.removeprefix("DECIMAL(").partition(",")[0])
        if digits > _DIGITS[want]:  # DuckDB's own cast may be off by the last bit
            return f"TRY_CAST(CAST({value} AS VARCHAR) AS {want})"
    return f"TRY_CAST({value} AS {want})"


def _nulls(value: str, want: Shape) -> str:
    """Return a null of the wanted type, as long as every value is one."""
    return f"CAST(CASE WHEN {value} IS NOT NULL THEN {_error()} END AS {spelled(stored(want))})"


def _error() -> str:
    return f"error({sql.literal(INEXACT)})"


def spelled(shape: Shape) -> str:
    """Return a type as DuckDB reads it."""
    parts = [(name, spelled(part)) for name, part in shape.parts]
    match shape.kind:
        case Kind.LIST:
            return f"{parts[0][1]}[]"
        case Kind.MAP:
            return f"MAP({parts[0][1]}, {parts[1][1]})"
        case Kind.STRUCT if parts:
            inside = ", ".join(f"{sql.identifier(name)} {kind}" for name, kind in parts)
            return f"STRUCT({inside})"
        case Kind.STRUCT | Kind.ANY:
            return "JSON"  # nothing is known of what is inside
    return shape.accepted[0]
