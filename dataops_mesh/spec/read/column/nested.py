"""Reads columns of objects, arrays, maps and vectors: what they are made of, all the way down.

What is demanded of the values inside is read by `spec.read.column.inside`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.servers import known_to, system_of
from dataops_mesh.spec.rule import Severity, Unexecuted
from dataops_mesh.spec.types.formats import DAY, TimeFormat, time_format
from dataops_mesh.spec.types.physical import FAMILIES, accepted_types, normalise
from dataops_mesh.spec.types.shape import ANY, Kind, Shape, list_of, matches, read_shape
from dataops_mesh.spec.types.systems import (
    is_encoding,
    is_not_kept,
    is_ours,
    length_in_brackets,
    logical_of,
    physical,
    plain_name,
    slip,
)

NESTED = ("object", "array", "map", "vector")
LOGICAL_TYPES = (*FAMILIES, *NESTED)
ELEMENTS = {"float32": "FLOAT", "float64": "DOUBLE", "int8": "TINYINT", "uint8": "UTINYINT"}
_KINDS: dict[Kind | None, str] = {Kind.STRUCT: "object", Kind.LIST: "array", Kind.MAP: "map"}
# Words for them of systems that say no more.
_WORDS = {
    **dict.fromkeys(("ARRAY", "LIST"), "array"),
    **dict.fromkeys(("DICT", "OBJECT", "RECORD", "STRUCT"), "object"),
    "MAP": "map",
}
_ALIKE = {"vector": "array"}
_LIMITED = re.compile(r"\(\s*['\d]")  # a length, digits or values
_THEN = "write it as a rule of type sql on the column"


def read_shape_of(entry: Node, logical: str | None, problems: list[Problem]) -> Shape | None:
    """Return the shape of a column; None where its type is a plain one."""
    if logical is None or logical not in NESTED:
        return None
    shape = _shape(entry, logical, problems)
    if logical == "object":
        _check_counts(entry, problems)
    return _physical(entry, logical, shape, problems)


def composed(entry: Node, logical: str) -> Shape | None:
    """Return the shape that `physicalType` spells, where it is that of the column.

    Its plain types are as they are spelled, with lengths, digits and values.
    """
    text = entry.text("physicalType") or ""
    found = read_shape(text, known_to(entry))
    if logical not in NESTED or found is None or not matches(found, _shape(entry, logical, [])):
        return None
    return read_shape(text, str)


def unlike(entry: Node, logical: str, path: str) -> Iterator[Unexecuted]:
    """Yield the remark that a physical type is not that in which values are stored here.

    Args:
        entry: a column of a nested type, or a part of one.
        logical: its logical type.
        path: how it is called.
    """
    child = entry.child("physicalType")
    if child is None or not isinstance(child.value, str) or normalise(child.value) == "JSON":
        return
    text = child.value
    found = read_shape(text, known_to(entry))
    word = _word(text)
    if _fits(found, entry, logical, _shape(entry, logical, [])):
        return
    if found is not None or _WORDS.get(word, logical) not in {logical, _ALIKE.get(logical)}:
        what = f'physicalType "{text}" of {path}: here it is stored as logicalType {logical}'
    elif word in {*_WORDS, "ROW"} and _LIMITED.search(text):
        what = f'physicalType "{text}" of {path} has parts we do not know: nothing of it is checked'
    else:
        return
    yield Unexecuted(what, child.where, Severity.WARNING)


def _fits(found: Shape | None, entry: Node, logical: str, shape: Shape) -> bool:
    if found is None:
        return False
    bare = found.accepted[0] if found.kind is Kind.SCALAR else ""
    whole = logical == "integer" and bare.startswith("DECIMAL(") and bare.endswith(",0)")
    text = entry.text("physicalType") or ""
    bracketed = logical == "string" and length_in_brackets(text) is not None
    return whole or bracketed or matches(found, shape)


def read_logical(entry: Node, problems: list[Problem]) -> str | None:
    """Return the logical type of a column or of a part of one."""
    child = entry.child("logicalType")
    if child is None:
        text = entry.text("physicalType") or ""
        # Since 3.2 the standard's schema wants it; without it options have no meaning.
        free = not _is_version(entry, "v3.2") and entry.child("logicalTypeOptions") is None
        derived = (logical_of(text) or _made_of(text)) if free else None
        if derived is None:
            problems.append(entry.problem("needs a logicalType", LOGICAL_TYPES))
        return derived
    if not isinstance(child.value, str):
        return None  # the schema has reported it
    problem = child.choose(LOGICAL_TYPES)
    if problem is not None:
        problems.append(problem)
        return None
    return "timestamp" if child.value == "date" and _shows_time(entry) else child.value


def _is_version(entry: Node, start: str) -> bool:
    return str(entry.document.data.get("apiVersion", "")).startswith(start)


def _made_of(text: str) -> str | None:
    """Return the logical type of a physical one that is made of others."""
    shape = read_shape(text, plain_name)
    kind = shape.kind if shape is not None else None
    return _KINDS.get(kind) if kind in _KINDS else _WORDS.get(_word(text))


def _word(text: str) -> str:
    return text.upper().partition("(")[0].partition("<")[0].strip()


def _shows_time(entry: Node) -> bool:
    """Tell whether a `date` of ODCS 3.0 is a timestamp: that version has no other word."""
    if not _is_version(entry, "v3.0"):
        return False
    found = physical(entry.text("physicalType") or "")
    hours = found is not None and found.name.startswith("TIMESTAMP")
    options = entry.child("logicalTypeOptions")
    text = (options and options.text("format")) or ""
    shown = time_format(text, "timestamp")
    return hours or text == "date-time" or (isinstance(shown, TimeFormat) and shown.step < DAY)


def _shape(entry: Node, logical: str, problems: list[Problem]) -> Shape:
    match logical:
        case "object":
            return _struct(entry, problems)
        case "array":
            item = entry.child("items")
            return list_of(_part(item, problems) if item else ANY)
        case "map":
            inner = entry.child("map") or entry
            parts = [(key, inner.child(key)) for key in ("key", "value")]
            return Shape(
                Kind.MAP,
                parts=tuple((key, _part(node, problems) if node else ANY) for key, node in parts),
            )
        case "vector":
            return list_of(Shape(Kind.SCALAR, (_element(entry, problems),)))
    return Shape(Kind.SCALAR, accepted_types(logical))


def _struct(entry: Node, problems: list[Problem]) -> Shape:
    """Return the shape of an object; without `properties` any object will do."""
    fields: list[tuple[str, Shape]] = []
    for node in entry.items("properties"):
        name = node.text("name")
        if name is None:
            continue  # the schema has reported it
        if name in dict(fields):
            problems.append(node.problem(f'the property "{name}" is given twice'))
        fields.append((name, _part(node, problems)))
    return Shape(Kind.STRUCT, parts=tuple(fields))


def _part(node: Node, problems: list[Problem]) -> Shape:
    logical = read_logical(node, problems)
    if logical is None:
        return ANY
    return _physical(node, logical, _shape(node, logical, problems), problems)


def _physical(entry: Node, logical: str, shape: Shape, problems: list[Problem]) -> Shape:
    """Return the exact shape where `physicalType` says it.

    In a contract of ours it must fit the logical one, or be how such values are written elsewhere.
    """
    child = entry.child("physicalType")
    if child is None or not isinstance(child.value, str):
        return shape
    if is_not_kept(child.value, logical) and not system_of(entry):
        what = f"{child.value} is no type that a published column has"
        problems.append(child.problem(what, then=f"write it as {shape}, or leave it out"))
        return shape
    json = normalise(child.value) == "JSON"
    if json:
        # Of what is inside JSON nothing can be checked: what is declared of it decides.
        undeclared = shape == Shape(Kind.STRUCT)
        return Shape(Kind.SCALAR, ("JSON",)) if undeclared else shape
    if logical == "string" and length_in_brackets(child.value) is not None:
        return shape
    found = read_shape(child.value, known_to(entry))
    if found is not None and _fits(found, entry, logical, shape):
        return _as_text(found)
    if system_of(entry):
        return shape
    ours = is_ours(child.value) or "[" in child.value or "(" in child.value
    if found is not None and ours:
        if not is_encoding(str(found), logical, free=entry.child("logicalTypeOptions") is None):
            problems.append(child.problem(f"{found} is not {shape}"))
    elif found is None and (hint := slip(child.value)):
        what = f'"{child.value}" is not a type of DuckDB{hint}'
        problems.append(child.problem(what, then=f"write it as {shape}, or leave it out"))
    return shape


def _as_text(shape: Shape) -> Shape:
    """Return a shape whose sets of values are text: what they are, is a check."""
    if shape.accepted == ("ENUM",):
        return Shape(Kind.SCALAR, accepted_types("string"))
    return replace(shape, parts=tuple((name, _as_text(part)) for name, part in shape.parts))


def _element(entry: Node, problems: list[Problem]) -> str:
    """Return the type of a vector's elements; what nothing would check is a problem."""
    options = entry.child("logicalTypeOptions")
    if options is None:
        problems.append(entry.problem("a vector needs `dimensions` in logicalTypeOptions"))
        return "FLOAT"
    child = options.child("elementType")
    name = child.value if child is not None else "float32"
    if not isinstance(name, str):
        return "FLOAT"  # the schema has reported it
    if child is not None and name not in ELEMENTS:
        what = f'elements of type "{name}" are not supported yet'
        problems.append(child.problem(what, tuple(ELEMENTS)))
    normalized = options.child("normalized")
    if normalized is not None and normalized.value is True:
        problems.append(normalized.unsupported("nothing would check it", _THEN))
    return ELEMENTS.get(name, "FLOAT")


def _check_counts(entry: Node, problems: list[Problem]) -> None:
    """Check what is said of an object's properties; its type decides it once and for all."""
    options = entry.child("logicalTypeOptions")
    if options is None or not isinstance(options.value, dict):
        return
    names = [node.text("name") for node in entry.items("properties")]
    for key in ("required", "minProperties", "maxProperties"):
        child = options.child(key)
        if child is not None and not names:
            problems.append(child.unsupported("needs `properties`", "declare the properties"))
            return
    for node in options.items("required"):
        if node.value not in names:
            hint = did_you_mean(str(node.value), [name for name in names if name])
            problems.append(node.problem(f'there is no property "{node.value}"{hint}'))
    for key, sign in (("minProperties", 1), ("maxProperties", -1)):
        child, limit = options.child(key), options.integer(key)
        if child is not None and limit is not None and sign * len(names) < sign * limit:
            problems.append(child.problem(f"the column declares {len(names)} properties"))
