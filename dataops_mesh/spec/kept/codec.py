"""A declaration as JSON and back: exactly what was parsed, and nothing but data.

Only the dataclasses and enumerations of a declaration can be named. They are filled field by
field: no function of them runs, whatever a file says.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from dataops_mesh import errors
from dataops_mesh.spec import dbt, mask, model, partition, remote, rule, terms, threshold
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.spec.read import pact, yaml

_SCALARS = frozenset({str, int, float, bool, type(None)})
_LARGE = 2**63
_OURS = ("dataops_mesh.spec.", "dataops_mesh.errors")
_MODULES = (dbt, errors, mask, model, pact, partition, remote, rule, terms, threshold, yaml)


class UnfitError(Exception):
    """There is something in it that has no form here."""


def encode(product: Product) -> str:
    """Return a product as JSON.

    Raises:
        UnfitError: it holds something of another kind.
    """
    return json.dumps(_plain(product), separators=(",", ":"))


def decode(text: str | bytes) -> Product:
    """Return the product that was encoded.

    Raises:
        ValueError: it is none.
    """
    try:
        found = _value(orjson.loads(text))
    except (LookupError, TypeError, ArithmeticError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if isinstance(found, Product):
        return found
    raise ValueError(type(found).__name__)


@cache
def kinds() -> dict[str, type]:
    """Return the classes of a declaration, by name."""
    members = (pair for module in _MODULES for pair in vars(module).items())
    return {
        name: one
        for name, one in members
        if isinstance(one, type) and one.__module__.startswith(_OURS) and _is_data(one)
    }


def _is_data(kind: type) -> bool:
    return is_dataclass(kind) or issubclass(kind, Enum)


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _plain(value: Any) -> Any:
    kind: Any = type(value)
    if kind in _SCALARS:
        if not _is_safe(value):
            raise UnfitError("a number that JSON has not")
        return value
    if kind is tuple:
        return ["t", *map(_plain, value)]
    if kinds().get(kind.__name__) is kind:
        if issubclass(kind, Enum):
            return ["e", kind.__name__, _plain(value.value)]
        return ["o", kind.__name__, *(_plain(getattr(value, name)) for name in _fields(kind))]
    if kind is Address:
        return ["a", *value]
    if kind is dict:
        if _is_json(value):
            return ["j", value]
        if _is_flat(value):
            return ["k", [list(key) for key in value], list(map(_plain, value.values()))]
        return ["d", *([_plain(key), _plain(one)] for key, one in value.items())]
    if kind is list:
        return ["j", value] if _is_json(value) else ["l", *map(_plain, value)]
    if isinstance(value, Path):
        return ["p", str(value)]
    if kind in {Decimal, date}:
        return ["n" if kind is Decimal else "y", str(value)]
    if kind is frozenset:
        return ["f", *map(_plain, value)]
    raise UnfitError(kind.__name__)


def _is_flat(value: dict[Any, Any]) -> bool:
    """Tell whether it has paths of names and numbers for keys, and a scalar for each."""
    return all(
        type(key) is tuple and set(map(type, key)) <= {str, int} and type(one) in _SCALARS
        for key, one in value.items()
    )


def _is_json(value: Any) -> bool:
    """Tell whether JSON brings back the very same: mappings of texts, lists and scalars."""
    kind = type(value)
    if kind is dict:
        return all(type(key) is str for key in value) and all(map(_is_json, value.values()))
    if kind is list:
        return all(map(_is_json, value))
    return kind in _SCALARS and _is_safe(value)


def _is_safe(value: Any) -> bool:
    """Tell whether a scalar comes back from JSON as it is: no integer of more than 64 bits."""
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is not int or -_LARGE <= value < _LARGE


def _value(plain: Any) -> Any:
    return _READERS[plain[0]](plain) if type(plain) is list else plain


def _rest(plain: list[Any]) -> Iterator[Any]:
    for one in plain[1:]:
        yield _READERS[one[0]](one) if type(one) is list else one


def _object(plain: list[Any]) -> Any:
    kind = kinds()[plain[1]]
    names = _fields(kind)
    if len(names) != len(plain) - 2:
        raise ValueError(plain[1])
    made: Any = object.__new__(kind)
    put = object.__setattr__
    for name, one in zip(names, plain[2:], strict=True):
        put(made, name, _READERS[one[0]](one) if type(one) is list else one)
    return made


def _keyed(plain: list[Any]) -> dict[Any, Any]:
    return dict(zip(map(tuple, plain[1]), plain[2], strict=True))


def _member(plain: list[Any]) -> Any:
    kind = kinds()[plain[1]]
    if issubclass(kind, Enum):
        return kind(_value(plain[2]))
    raise ValueError(plain[1])


_READERS: dict[str, Callable[[list[Any]], Any]] = {
    "t": lambda plain: tuple(_rest(plain)),
    "a": lambda plain: Address(*plain[1:]),
    "o": _object,
    "e": _member,
    "j": lambda plain: plain[1],
    "k": _keyed,
    "d": lambda plain: {_value(key): _value(one) for key, one in plain[1:]},
    "l": lambda plain: list(_rest(plain)),
    "p": lambda plain: Path(plain[1]),
    "n": lambda plain: Decimal(plain[1]),
    "y": lambda plain: date.fromisoformat(plain[1]),
    "f": lambda plain: frozenset(_rest(plain)),
}
