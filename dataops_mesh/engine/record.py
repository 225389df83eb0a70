"""Frozen dataclasses as JSON files with a checksum, and back, without loss.

Works from the type hints, so that a field added to `CheckResult` is kept without a change here.
An unknown field of a file is ignored and an absent one takes its default.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from dataops_mesh.errors import CorruptError, Problem, StoreError
from dataops_mesh.spec.model import Address

FORMAT = 1
T = TypeVar("T")


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line for each kind of value
    """Turn a value into what JSON can say.

    >>> plain((Address("fleet", "aircraft"), 1.5))
    ['fleet.aircraft', 1.5]
    """
    match value:
        case Address():
            return str(value)
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


def build(kind: Any, data: Any) -> Any:
    """Turn what JSON said back into a value of the type.

    >>> build(tuple[Address, ...], ["fleet.aircraft"])
    (Address(domain='fleet', port='aircraft'),)
    """
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _build_union(kind, data)
    if origin is tuple:
        return _build_tuple(get_args(kind), data)
    if origin is Mapping:
        key, item = get_args(kind)
        return {build(key, name): build(item, value) for name, value in data.items()}
    return _build_plain(kind, data)


def encode(value: Any) -> bytes:
    """Return the file content of a record: its JSON, its format and its checksum."""
    body = {"format": FORMAT, **plain(value)}
    return json.dumps({"checksum": _checksum(body), **body}, indent=1).encode()


def decode(kind: type[T], data: bytes, path: Path) -> T:
    """Return the record in a file's content, or say that the file is damaged."""
    try:
        body = json.loads(data)
        checksum = body.pop("checksum")
        version = body["format"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _corrupt(path, "is not a record of the store") from error
    if version != FORMAT:
        raise StoreError(
            Problem(
                f"{path} has format {version}, this version of dataops_mesh reads {FORMAT}",
                next="use the version of dataops_mesh that wrote the store",
            )
        )
    if checksum != _checksum(body):
        raise _corrupt(path, "does not match its own checksum")
    try:
        return cast("T", build(kind, body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _corrupt(path, f"lacks a field of a {kind.__name__.lower()}") from error


def _corrupt(path: Path, what: str) -> CorruptError:
    return CorruptError(
        Problem(
            f"{path} {what}",
            next="restore this file from a backup, or roll the product back",
        )
    )


def _checksum(body: Any) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _build_plain(kind: Any, data: Any) -> Any:
    asked: Any = kind
    if kind is Address:
        return Address.parse(data)
    if kind is datetime:
        return datetime.fromisoformat(data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if is_dataclass(kind):
        hints = _hints(asked)
        known = {name: build(hint, data[name]) for name, hint in hints.items() if name in data}
        return cast("type[Any]", kind)(**known)
    return data


def _build_union(kind: Any, data: Any) -> Any:
    others = [item for item in get_args(kind) if item is not types.NoneType]
    if data is None or len(others) > 1:
        return data
    return build(others[0], data)


def _build_tuple(items: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if len(items) == 2 and items[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...] has two arguments
        return tuple(build(items[0], item) for item in data)
    return tuple(build(kind, item) for kind, item in zip(items, data, strict=True))
