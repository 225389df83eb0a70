"""Reads what a contract demands inside a nested column: of fields, items, keys and values.

Each demand becomes a condition in SQL that a row breaks. What has none is not executed, and told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from dataops_mesh.errors import Problem
from dataops_mesh.spec.classes import CLASSES
from dataops_mesh.spec.names import slug, stem
from dataops_mesh.spec.read.column.compared import compared, number_of
from dataops_mesh.spec.read.column.nested import composed, read_logical, unlike
from dataops_mesh.spec.read.column.options import read_options
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.quality.custom import Target
from dataops_mesh.spec.read.quality.rules import read_rule, read_severity
from dataops_mesh.spec.read.servers import physical_of, systems_of
from dataops_mesh.spec.rule import Rule, Severity, Unexecuted
from dataops_mesh.spec.terms import ColumnOptions, Inside
from dataops_mesh.spec.types.formats import TEXT
from dataops_mesh.spec.types.shape import Kind, Shape
from dataops_mesh.spec.types.systems import Physical, length_in_brackets, listed, physical

_PLACEHOLDER = re.compile(r"\{(?=(?:object|table|property|column)\})")
_FLAGS = ("unique", "primaryKey")
_LEFT = ("multipleOf", "uniqueItems", "timezone", "elementType", "dimensions")
_KINDS = {"integer": "BIGINT", "number": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMP",
          "time": "TIME"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of a column: where it is, and how a row that breaks a condition there is found.

    Args:
        path: the names of the parts, from the column on.
        around: the condition of the whole row, with `@` for that of this part.
        value: this part, in SQL.
        depth: how many lists it is in.
    """

    path: tuple[str, ...]
    around: str
    value: str
    depth: int = 0

    def called(self, kind: str) -> str:
        return "__".join((stem(self.path[0]), "_".join([*map(slug, self.path[1:]), kind])))

    def field(self, name: str) -> _Place:
        quoted = _text(name)
        inner = f"({self.value} IS NOT NULL AND @)"
        return _Place(
            (*self.path, name),
            self.around.replace("@", inner),
            f"struct_extract({self.value}, {quoted})",
            self.depth,
        )

    def each(self, name: str, values: str) -> _Place:
        one = f"mesh_x{self.depth}"
        inner = f"(len(list_filter({values}, lambda {one}: @)) > 0)"
        return _Place((*self.path, name), self.around.replace("@", inner), one, self.depth + 1)


@dataclass(slots=True)
class Found:
    """What was found inside a column: checks by name, rules for people, and what is left."""

    checks: dict[str, Inside] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    unexecuted: list[Unexecuted] = field(default_factory=list)
    classes: list[tuple[str, Node]] = field(default_factory=list)

    def demand(self, place: _Place, kind: str, condition: str, node: Node) -> None:
        """Add what a row breaks at a place; what is demanded twice is one check."""
        name = place.called(kind)
        broken = place.around.replace("@", condition)
        known = self.checks.get(name)
        if known is not None and known.broken != broken:
            broken = f"({known.broken}) OR ({broken})"
        told = f"{kind} of {'.'.join(place.path)}"
        self.checks[name] = Inside(name, broken, told, node.where)


def read_inside(entry: Node, name: str, logical: str | None, problems: list[Problem]) -> Found:
    """Return what is demanded inside a column."""
    found = Found()
    if logical in {"object", "array", "map"} and "JSON" not in _json(entry, logical):
        quoted = '"' + name.replace('"', '""') + '"'
        _walk(entry, logical, _Place((name,), "@", quoted), found, problems)
    return found


def classified(own: str | None, found: Found, problems: list[Problem]) -> str | None:
    """Return the class of a column: its own, or the most secret of what is inside."""
    inner = [(word, node) for word, node in found.classes if word]
    most = max((word for word, _ in inner), key=_rank, default=None)
    if own is None or most is None:
        return own or most
    for word, node in inner:
        if _rank(word) > _rank(own):
            what = f'is more secret than the column, which is "{own}"'
            problems.append(node.problem(what, then=f"classify the whole column as {word}"))
    return own


def _rank(word: str) -> int:
    known = word.lower()
    return CLASSES.index(known) if known in CLASSES else len(CLASSES)


def _json(entry: Node, logical: str | None) -> str:
    """Return the physical type of an object whose inside nobody declares."""
    bare = logical == "object" and not entry.items("properties")
    return (entry.text("physicalType") or "").upper() if bare else ""


def _walk(
    entry: Node, logical: str | None, place: _Place, found: Found, problems: list[Problem]
) -> None:
    if logical is not None and (spelled := composed(entry, logical)) is not None:
        _spelled(entry, spelled, place, found)
    if logical == "object":
        for node in entry.items("properties"):
            if (name := node.text("name")) is not None:
                _part(node, place.field(name), found, problems)
    elif logical == "array":
        item = entry.child("items")
        if item is not None:
            _part(item, place.each("item", place.value), found, problems)
    elif logical == "map":
        inner = entry.child("map") or entry
        for key in ("key", "value"):
            part = inner.child(key)
            if part is not None:
                _part(part, place.each(key, f"map_{key}s({place.value})"), found, problems)


def _spelled(entry: Node, shape: Shape, place: _Place, found: Found) -> None:
    """Find what a type made of others says of those: `array<varchar(3)>`."""
    for name, part in shape.parts:
        match shape.kind:
            case Kind.STRUCT:
                inner = place.field(name)
            case Kind.MAP:
                inner = place.each(name, f"map_{name}s({place.value})")
            case _:
                inner = place.each("item", place.value)
        _spelled(entry, part, inner, found)
    if shape.kind is Kind.SCALAR:
        text = shape.accepted[0]
        for kind, condition in _limits(text, physical(text, systems_of(entry)), place.value):
            found.demand(place, kind, condition, entry)


def _limits(text: str, found: Physical | None, value: str) -> Iterator[tuple[str, str]]:
    """Yield what a row breaks that a physical type says: a length, digits of a second, values."""
    length = found.length if found is not None else None
    if length is not None:
        yield "length", f"coalesce(length({value}) > {length}, false)"
    if found is not None and found.digits is not None:
        finite = f"isfinite({value}) AND " if found.name.startswith("TIMESTAMP") else ""
        fine = f"{finite}epoch_us({value}) % {10 ** (6 - found.digits)} <> 0"
        yield "digits", f"coalesce({fine}, false)"
    if values := listed(text):
        yield "enum", f"coalesce({value} NOT IN ({', '.join(map(_text, values))}), false)"


def _part(node: Node, place: _Place, found: Found, problems: list[Problem]) -> None:
    logical = read_logical(node, [])  # what is wrong with the type, its reader has said
    options = read_options(node, logical, problems)
    text = node.text("physicalType") or ""
    type_ = physical_of(node)
    if logical == "string":
        sizes = (options.max_length, type_.length if type_ else None, length_in_brackets(text))
        most = min((n for n in sizes if n is not None), default=None)
        options = replace(options, max_length=most)
    for kind, condition in _conditions(node, logical, options, place.value):
        found.demand(place, kind, condition, node)
    own = {"string": "enum", "timestamp": "digits", "time": "digits"}.get(logical or "")
    for kind, condition in _limits(text, type_, place.value):
        if kind == own and not (kind == "enum" and node.items("enum")):
            found.demand(place, kind, condition, node)
    found.unexecuted += _left(node, logical, options, ".".join(place.path))
    _read_texts(node, place, found, problems)
    child = node.child("classification")
    if child is not None and isinstance(child.value, str):
        found.classes.append((child.value, child))
    _walk(node, logical, place, found, problems)


def _read_texts(node: Node, place: _Place, found: Found, problems: list[Problem]) -> None:
    """Read the rules in words: they are the column's, and named after the part."""
    for entry in node.items("quality"):
        if entry.text("type") != "text":
            continue
        rule = read_rule(entry, Target(column=place.path[0]), problems)
        if rule is not None:
            given = entry.text("id") or entry.text("name") or "text"
            name = place.called(slug(given))
            again = sum(one.name.startswith(name) for one in found.rules)
            found.rules.append(replace(rule, name=f"{name}_{again + 1}" if again else name))


def _conditions(
    node: Node, logical: str | None, options: ColumnOptions, value: str
) -> Iterator[tuple[str, str]]:
    """Yield what a row breaks, and how."""
    if node.flag("required"):
        yield "required", f"{value} IS NULL"
    for kind, size, least, most in (
        ("length", "length", options.min_length, options.max_length),
        ("items", "len", options.min_items, options.max_items),
    ):
        said = [f"{size}({value}) < {least}"] if least is not None else []
        said += [f"{size}({value}) > {most}"] if most is not None else []
        if said and logical in {"string", "array"}:
            yield kind, f"coalesce({' OR '.join(said)}, false)"
    if options.pattern is not None:
        yield "pattern", f"coalesce(NOT regexp_matches({value}, {_text(options.pattern)}), false)"
    if logical == "string" and options.format in TEXT:
        known = TEXT[options.format]
        unlike = f"NOT regexp_matches({value}, {_text(known.pattern)})"
        if known.type:
            unlike += f" OR try_cast({value} AS {known.type}) IS NULL"
        yield "format", f"{value} IS NOT NULL AND ({unlike})"
    bounds = [
        _compared(value, sign, bound, logical)
        for bound, sign in (
            (options.minimum, "<"),
            (options.maximum, ">"),
            (options.exclusive_minimum, "<="),
            (options.exclusive_maximum, ">="),
        )
        if bound is not None
    ]
    if bounds and logical == "number" and options.maximum is options.exclusive_maximum is None:
        bounds.append(f"{value} > 'infinity'::DOUBLE")  # NaN, which is outside every range
    if bounds:
        yield "range", f"coalesce({' OR '.join(bounds)}, false)"
    values = [child.value for item in node.items("enum") if (child := item.child("value"))]
    if values and logical in {"string", *_KINDS}:
        same = " OR ".join(_compared(value, "=", one, logical) for one in values if one is not None)
        yield "enum", f"{value} IS NOT NULL AND NOT ({same or 'false'})"


def _left(
    node: Node, logical: str | None, options: ColumnOptions, path: str
) -> Iterator[Unexecuted]:
    """Yield what is said of a part and nobody executes."""
    told = "inside a column nobody executes it here"
    for key in _FLAGS:
        if node.flag(key):
            yield Unexecuted(f"`{key}` of {path}: {told}", node.where)
    yield from unlike(node, logical, path) if logical is not None else ()
    given = node.child("logicalTypeOptions")
    keys = set(given.value) if given is not None and isinstance(given.value, dict) else set()
    left = [key for key in _LEFT if key in keys]
    if "format" in keys and not (logical == "string" and options.format in TEXT):
        left.append("format")
    for key in left:
        yield Unexecuted(f"`{key}` of {path}: {told}", node.where)
    for rule in node.items("quality"):
        if rule.text("type") != "text":
            name = rule.text("id") or rule.text("name") or rule.text("metric") or "quality"
            severity = read_severity(rule, [])
            yield Unexecuted(f'rule "{name}" of {path}: {told}', rule.where, severity)
    if node.items("relationships"):
        yield Unexecuted(f"`relationships` of {path}: {told}", node.where, Severity.ERROR)


def _compared(value: str, sign: str, said: Any, logical: str | None) -> str:
    """Return the condition that a value is on a side of what the contract says."""
    if isinstance(said, bool):
        return f"{value} {sign} {str(said).lower()}"
    if logical in {"integer", "number"} and (number := number_of(said)) is not None:
        return compared(value, sign, number)
    text = said.isoformat() if isinstance(said, date | datetime | time) else str(said)
    kind = "DOUBLE" if isinstance(said, float) else _KINDS.get(logical or "")
    return f"{value} {sign} {_text(text)}" + (f"::{kind}" if kind else "")


def _text(value: str) -> str:
    """Return a text in SQL that no placeholder of a rule is put into."""
    quoted = "'" + value.replace("'", "''").replace("@", "' || chr(64) || '") + "'"
    made = _PLACEHOLDER.sub("' || chr(123) || '", quoted)
    return f"({made})" if made.count("||") else made
