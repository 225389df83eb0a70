"""A cursor on a parsed document: reads values leniently and makes problems precisely.

The JSON schemas report wrong types; the readers that come after them ask through this
cursor and get a harmless default for a value of the wrong type, so that all problems of a
file are found in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dataops_mesh.errors import Location, Problem, did_you_mean
from dataops_mesh.spec.model import Scalar
from dataops_mesh.spec.read.yaml import Document, Keys

# What people call the types of ODCS.
_LOGICAL = {
    **dict.fromkeys(("datetime", "timestamptz", "timestamp_ntz", "instant"), "timestamp"),
    **dict.fromkeys(("text", "varchar", "char", "str", "uuid", "enum", "binary"), "string"),
    **dict.fromkeys(("int", "bigint", "smallint", "long", "serial"), "integer"),
    **dict.fromkeys(("float", "double", "real", "decimal", "numeric", "money"), "number"),
    **dict.fromkeys(("struct", "record", "row", "json", "dict"), "object"),
    **dict.fromkeys(("list", "repeated"), "array"),
    "bool": "boolean",
}


def spell(keys: Keys) -> str:
    """Return keys as people write them.

    >>> spell(("schema", 0, "properties", 2, "logicalType"))
    'schema[0].properties[2].logicalType'
    """
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document and the way to it."""

    document: Document
    value: Any
    keys: Keys = ()

    @property
    def where(self) -> Location:
        """Return the line of the key."""
        return self.document.at(self.keys)

    @property
    def start(self) -> Location:
        """Return the line on which a text value begins."""
        line = self.document.starts.get(self.keys)
        return self.where if line is None else Location(self.where.file, line)

    def child(self, key: str) -> Node | None:
        """Return the value under a key, or None where the key is absent."""
        if isinstance(self.value, dict) and key in self.value:
            return Node(self.document, self.value[key], (*self.keys, key))
        return None

    def items(self, key: str) -> list[Node]:
        """Return the entries of the list under a key."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        entries = value if isinstance(value, list) else []
        return [Node(self.document, v, (*self.keys, key, i)) for i, v in enumerate(entries)]

    def text(self, key: str) -> str | None:
        """Return the text under a key."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts in the list under a key."""
        return tuple(node.value for node in self.items(key) if isinstance(node.value, str))

    def flag(self, key: str) -> bool:
        """Tell whether the key is true."""
        return isinstance(self.value, dict) and self.value.get(key) is True

    def integer(self, key: str) -> int | None:
        """Return the whole number under a key."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def scalar(self, key: str) -> Scalar:
        """Return the text, number or boolean under a key."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, str | int | float | Decimal) else None

    def problem(self, what: str, choices: Iterable[str] = (), then: str = "") -> Problem:
        """Say what is wrong with this value."""
        return Problem(
            what, self.where, spell(self.document.original(self.keys)), tuple(choices), then
        )

    def unsupported(self, why: str = "", then: str = "") -> Problem:
        """Say that this key is valid in the standard but not read here."""
        detail = f": {why}" if why else ""
        return self.problem(f'"{self.keys[-1]}" is not supported yet{detail}', then=then)

    def choose(self, choices: Iterable[str]) -> Problem | None:
        """Return the problem that this text is none of the choices, if so."""
        known = tuple(choices)
        if not isinstance(self.value, str) or self.value in known:
            return None
        hint = meant(self.value, str(self.keys[-1]), known)
        return self.problem(f'"{self.value}" is not one of the valid values{hint}', known)

    def refuse(self, refused: Mapping[str, str], problems: list[Problem]) -> None:
        """Report each key of this mapping that would otherwise be ignored in silence."""
        for key, why in refused.items():
            child = self.child(key)
            if child is not None:
                problems.append(child.unsupported(why))


def meant(value: str, key: str, choices: Iterable[str]) -> str:
    """Return which of the choices of a key was meant, as a hint; nothing if nobody can tell.

    >>> meant("datetime", "logicalType", ["time", "timestamp"])
    ' (did you mean "timestamp"?)'
    """
    word = _LOGICAL.get(value.lower().partition("(")[0].strip()) if key == "logicalType" else None
    return f' (did you mean "{word}"?)' if word else did_you_mean(value, choices)
