"""Nested types: what a column of objects, arrays or maps is made of, all the way down."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dataops_mesh.spec.types.physical import is_accepted, normalise

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_SCALAR = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*(?:\((?:[^()']|'(?:[^']|'')*')*\))?")
Known = Callable[[str], str | None]
_CLOSE = {"(": ")", "<": ">"}
_ENDS = re.compile(r"\[\d*\]")
_DEEPEST = 32


class Kind(StrEnum):
    """What a type is made of."""

    ANY = "any"
    SCALAR = "scalar"
    LIST = "list"
    MAP = "map"
    STRUCT = "struct"


@dataclass(frozen=True, slots=True)
class Shape:
    """A type and the types inside it.

    Args:
        kind: how it is made.
        accepted: of a scalar, the DuckDB types that will do.
        parts: of a struct its fields; of a list `item`; of a map `key` and `value`.
    """

    kind: Kind
    accepted: tuple[str, ...] = ()
    parts: tuple[tuple[str, Shape], ...] = ()

    def __str__(self) -> str:
        """Return the type as DuckDB writes it, with alternatives separated by `|`."""
        inner = [shape for _, shape in self.parts]
        match self.kind:
            case Kind.LIST:
                return f"{inner[0]}[]"
            case Kind.MAP:
                return f"MAP({inner[0]}, {inner[1]})"
            case Kind.STRUCT if self.parts:
                return f"STRUCT({', '.join(f'{name} {shape}' for name, shape in self.parts)})"
            case Kind.STRUCT:
                return "STRUCT"
            case Kind.ANY:
                return "ANY"
        return "|".join(self.accepted)


ANY = Shape(Kind.ANY)


def fits(actual: str, wanted: Shape) -> bool:
    """Tell whether a column's type, as DuckDB describes it, has the wanted shape.

    >>> fits("STRUCT(a INTEGER, b VARCHAR[])", list_of(ANY))
    False
    >>> fits("DECIMAL(9,2)[3]", list_of(Shape(Kind.SCALAR, ("DECIMAL",))))
    True
    """
    found = read_shape(actual)
    return found is not None and matches(found, wanted)


def list_of(item: Shape) -> Shape:
    """Return the shape of a list.

    >>> str(list_of(Shape(Kind.SCALAR, ("INTEGER", "BIGINT"))))
    'INTEGER|BIGINT[]'
    """
    return Shape(Kind.LIST, parts=(("item", item),))


def read_shape(text: str, known: Known = normalise) -> Shape | None:
    """Return the shape that a type spells, or None if it is none we know.

    Types of DuckDB, and as Spark, BigQuery and Trino write those made of others.

    Args:
        text: the type.
        known: returns DuckDB's name of a plain type; of what is declared it may know others' too.

    >>> str(read_shape('STRUCT(a int, "b c" MAP(text, decimal(9, 2)[]))'))
    'STRUCT(a INTEGER, b c MAP(VARCHAR, DECIMAL(9,2)[]))'
    >>> read_shape("STRUCT(a")
    """
    try:
        shape, rest = _type(text.strip(), _DEEPEST, known)
    except ValueError:
        return None
    return None if rest.strip() else shape


def is_said(shape: Shape) -> bool:
    """Tell whether every part of a type is declared, so that an empty relation can have it.

    >>> is_said(Shape(Kind.SCALAR, ("BIGINT",))), is_said(list_of(ANY))
    (True, False)
    """
    if shape.kind is Kind.SCALAR:
        return shape.accepted[0] != "DECIMAL"
    return (
        shape.kind is not Kind.ANY
        and bool(shape.parts)
        and all(is_said(part) for _, part in shape.parts)
    )


def matches(actual: Shape, wanted: Shape) -> bool:
    """Tell whether one exact shape is among those that another allows."""
    if wanted.kind is Kind.ANY:
        return True
    if wanted.kind is Kind.SCALAR:
        return actual.kind is Kind.SCALAR and is_accepted(actual.accepted[0], wanted.accepted)
    if actual.kind is not wanted.kind:
        return False
    if not wanted.parts:
        return True
    ours, theirs = dict(wanted.parts), dict(actual.parts)
    return ours.keys() == theirs.keys() and all(matches(theirs[k], ours[k]) for k in ours)


def _type(text: str, depth: int, known: Known) -> tuple[Shape, str]:
    if depth == 0:
        raise ValueError("nested too deeply")
    word = _WORD.match(text)
    name = word[0].upper() if word else ""
    inside = text[len(name) :].lstrip()
    close = _CLOSE.get(inside[:1], "")
    if name in {"STRUCT", "ROW"} and close:
        shape, rest = _struct(inside[1:], depth, close, known)
    elif name == "MAP" and close:
        shape, rest = _map(inside[1:], depth, close, known)
    elif name in {"ARRAY", "LIST"} and close:
        inner, rest = _type(inside[1:].lstrip(), depth - 1, known)
        shape, rest = list_of(inner), _after(rest, close)
    else:
        shape, rest = _scalar(text, known)
    while found := _ENDS.match(rest.lstrip()):
        shape, rest = list_of(shape), rest.lstrip()[found.end() :]
    return shape, rest


def _after(text: str, close: str) -> str:
    if not text.lstrip().startswith(close):
        raise ValueError("a type that does not end")
    return text.lstrip()[1:]


def _struct(text: str, depth: int, close: str, known: Known) -> tuple[Shape, str]:
    parts: list[tuple[str, Shape]] = []
    while True:
        text = text.lstrip()
        quoted, word = _QUOTED.match(text), _WORD.match(text)
        found = quoted or word
        if found is None:
            raise ValueError("no name of a field")
        name = quoted[1].replace('""', '"') if quoted else found[0]
        # Spark writes a colon between the name of a field and its type.
        rest = text[found.end() :].lstrip()
        shape, text = _type(rest.removeprefix(":").lstrip(), depth - 1, known)
        parts.append((name, shape))
        text = text.lstrip()
        if text.startswith(close):
            break
        if not text.startswith(","):
            raise ValueError("a struct that does not end")
        text = text[1:]
    if len(dict(parts)) < len(parts):
        raise ValueError("a field twice")
    return Shape(Kind.STRUCT, parts=tuple(parts)), text[1:]


def _map(text: str, depth: int, close: str, known: Known) -> tuple[Shape, str]:
    key, text = _type(text.lstrip(), depth - 1, known)
    if not text.lstrip().startswith(","):
        raise ValueError("a map without values")
    value, text = _type(text.lstrip()[1:].lstrip(), depth - 1, known)
    return Shape(Kind.MAP, parts=(("key", key), ("value", value))), _after(text, close)


def _scalar(text: str, known: Known) -> tuple[Shape, str]:
    found = _SCALAR.match(text)
    if found is None:
        raise ValueError("no type")
    spelled = found[0].strip()
    # The values of an ENUM are its own affair.
    name = known(spelled) or ("ENUM" if spelled.upper().startswith("ENUM(") else None)
    if name is None:
        raise ValueError("not a type we know")
    return Shape(Kind.SCALAR, (name,)), text[found.end() :]
