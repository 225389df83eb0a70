"""Frozen dataclasses as JSON files with a checksum, and back, without loss.

Works from the type hints, so that a field added to `CheckResult` is kept without a change here.
An unknown field of a file is ignored and an absent one takes its default.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from dataops_mesh.errors import CorruptError, Problem, StoreError
from dataops_mesh.spec.model import Address

FORMAT = 1
_DECIMAL = "decimal"
T = TypeVar("T")
Builder = Callable[[Any], Any]


def plain(value: Any) -> Any:
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
        case Decimal():
            return {_DECIMAL: str(value)}  # a number of JSON could lose digits
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
    return _builder(kind)(data)


def encode(value: Any, indent: int | None = 1) -> bytes:
    """Return the file content of a record: its JSON, its format and its checksum.

    Args:
        value: the record.
        indent: None for a record that may be large: it is written faster and is smaller.
    """
    body = {"format": FORMAT, **plain(value)}
    return json.dumps({"checksum": _checksum(body), **body}, indent=indent).encode()


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
            next="`mesh store verify` says what is damaged and what mends it",
        )
    )


def _checksum(body: Any) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _builder(kind: Any) -> Builder:
    """Return the function that builds values of the type; made once, a release has thousands."""
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _union_builder(kind)
    if origin is tuple:
        return _tuple_builder(get_args(kind))
    if origin is Mapping:
        key, item = (_builder(part) for part in get_args(kind))
        return lambda data: {key(name): item(value) for name, value in data.items()}
    if kind is Address:
        return Address.parse
    if kind is datetime:
        return datetime.fromisoformat
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _record_builder(kind) if is_dataclass(kind) else _same


def _record_builder(kind: Any) -> Builder:
    hints = get_type_hints(kind)
    parts = [(field.name, _builder(hints[field.name])) for field in fields(kind)]

    def built(data: Any) -> Any:
        return kind(**{name: part(data[name]) for name, part in parts if name in data})

    return built


def _union_builder(kind: Any) -> Builder:
    others = [item for item in get_args(kind) if item is not types.NoneType]
    if len(others) > 1:  # a scalar is what JSON says it is
        pairs = [_builder(item) for item in others if get_origin(item) is tuple]
        return partial(_scalar, pair=pairs[0] if pairs else None)
    other = _builder(others[0])
    return lambda data: None if data is None else other(data)


def _scalar(data: Any, pair: Builder | None) -> Any:
    if isinstance(data, list) and pair is not None:
        return pair(data)
    return Decimal(data[_DECIMAL]) if isinstance(data, dict) else data


def _tuple_builder(items: tuple[Any, ...]) -> Builder:
    if len(items) == 2 and items[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...] has two arguments
        item = _builder(items[0])
        return lambda data: tuple([item(value) for value in data])
    parts = [_builder(part) for part in items]
    return lambda data: tuple([part(value) for part, value in zip(parts, data, strict=True)])


def _same(data: Any) -> Any:
    return data
