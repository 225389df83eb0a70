"""Takes a contract (ODCS) apart: a document for each schema object, which is one port's contract.

The objects of a file share all that stands beside `schema`: version, status, roles, and those
service levels that name no object. A part keeps its lines, and its keys are told as in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from dataops_mesh.spec.names import port_name
from dataops_mesh.spec.read.yaml import Document, Keys

_SCHEMA, _LEVELS = "schema", "slaProperties"
# What 3.0 files say in words of version 2; `isNullable` is the contrary of `required`.
_OLDER = {"isUnique": "unique", "isPrimary": "primaryKey", "isNullable": "required"}
_OLD_METRICS = {"duplicateCount": "duplicateValues", "nullCheck": "nullValues",
                "validValues": "invalidValues"}  # fmt: skip
Moves = list[tuple[Keys, Keys]]


def objects_in(document: Document) -> list[tuple[str, Document]]:
    """Return the schema objects, each with the name of its port and a document of its own.

    Of a file without objects, or with one, that is the file itself.
    """
    document = renewed(document)
    found = document.data.get(_SCHEMA) if isinstance(document.data, dict) else None
    objects = found if isinstance(found, list) else []
    if len(objects) <= 1:
        return [(_name(one), document) for one in objects or [None]]
    return [(_name(one), _part(document, index, objects)) for index, one in enumerate(objects)]


def _name(one: Any) -> str:
    name = one.get("name") if isinstance(one, dict) else None
    return port_name(name) if isinstance(name, str) else ""


def _part(document: Document, index: int, objects: list[Any]) -> Document:
    """Return the document with one of the objects and the service levels that are its own."""
    levels = document.data.get(_LEVELS)
    moves: Moves = [((_SCHEMA, 0), (_SCHEMA, index))]
    data = {**document.data, _SCHEMA: [objects[index]]}
    if isinstance(levels, list):
        own = [n for n, level in enumerate(levels) if index in _owners(level, objects)]
        data[_LEVELS] = [levels[n] for n in own]
        moves += [((_LEVELS, new), (_LEVELS, old)) for new, old in enumerate(own)]
    return _moved(document, data, moves)


def _owners(level: Any, objects: list[Any]) -> set[int]:
    """Return the objects that a service level is of: all, where it says no element.

    An element that none of them has is told once, of the first.
    """
    every = set(range(len(objects)))
    element = level.get("element") if isinstance(level, dict) else None
    if not isinstance(element, str):
        return every
    head, _, column = element.partition(",")[0].strip().rpartition(".")
    named = {n for n in every if head and head in called(objects[n])}
    having = {n for n in every if column in _columns(objects[n])}
    return named or (set() if head else having) or {0}


def called(one: Any) -> set[str]:
    """Return the names of a schema object or of a column: `name` and `physicalName`."""
    given = (one.get(key) for key in ("name", "physicalName")) if isinstance(one, dict) else ()
    return {name for name in given if isinstance(name, str)}


def _columns(one: Any) -> set[str]:
    entries = one.get("properties") if isinstance(one, dict) else None
    found = entries if isinstance(entries, list) else []
    return {name for entry in found for name in called(entry)}


def renewed(document: Document) -> Document:
    """Return a document of ODCS 3.0 with the words that it has from version 2 in those of today."""
    if not isinstance(document.data, dict):
        return document
    if not str(document.data.get("apiVersion", "")).startswith("v3.0"):
        return document
    moves: Moves = []
    data = _walk(document.data, (), moves)
    if document.data.get("status") == "current":
        data = {**data, "status": "active"}
    return _moved(document, data, moves) if moves or data != document.data else document


def _walk(value: Any, keys: Keys, moves: Moves) -> Any:
    if isinstance(value, list):
        return [_walk(one, (*keys, n), moves) for n, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found = {}
    renamed = _words(keys)
    for key, one in value.items():
        name, inner = renamed(key, one) if key not in found else (key, one)
        if name != key and name not in value:
            moves.append(((*keys, name), (*keys, key)))
            found[name] = inner
        else:
            found[key] = _walk(one, (*keys, key), moves)
    return found


def _words(keys: Keys) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return how the keys of a mapping at this place are renamed."""
    match keys:
        case (*_, "properties", int()) if keys[0] == _SCHEMA:
            return _of_column
        case (*_, "quality", int()) if keys[0] == _SCHEMA:
            return _of_rule
        case ("team", int()) | ("team", "members", int()):
            return lambda key, value: ("description" if key == "comment" else key, value)
    return lambda key, value: (key, value)


def _of_column(key: Any, value: Any) -> tuple[Any, Any]:
    if key == "isNullable" and isinstance(value, bool):
        return _OLDER[key], not value
    return _OLDER.get(key, key), value


def _of_rule(key: Any, value: Any) -> tuple[Any, Any]:
    if key == "rule" and isinstance(value, str):
        return "metric", _OLD_METRICS.get(value, value)
    return key, value


def _moved(document: Document, data: Any, moves: Moves) -> Document:
    """Return a document of other data, whose parts stand where they stood."""
    back = {old: new for new, old in moves}
    dropped = {key for key in (_SCHEMA, _LEVELS) if _size(data, key) != _size(document.data, key)}

    def place(keys: Keys) -> Keys | None:
        for length in range(len(keys), 0, -1):
            if keys[:length] in back:
                return (*back[keys[:length]], *keys[length:])
        return None if len(keys) > 1 and keys[0] in dropped else keys

    def placed(found: dict[Keys, Any]) -> Iterator[tuple[Keys, Any]]:
        for keys, what in found.items():
            new = place(keys)
            if new is not None:
                yield new, what

    return replace(
        document,
        data=data,
        lines=dict(placed(document.lines)),
        starts=dict(placed(document.starts)),
        words=dict(placed(document.words)),
        origins=dict(placed(document.origins)),
        moved=(*moves, *document.moved),
    )


def _size(data: Any, key: str) -> int:
    found = data.get(key)
    return len(found) if isinstance(found, list) else 0
