"""What a generated product is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from generated_kinds import Cell, Kind


class Number(str):
    """A number as the contract spells it."""

    __slots__ = ()


@dataclass(frozen=True)
class Rule:
    """A quality rule.

    Args:
        what: a metric, `sql` or the name of an expectation.
        given: its arguments; of a query, its `form`.
        value: the threshold, or both ends of it.
    """

    id: str
    what: str
    given: dict[str, Any]
    operator: str = "mustBe"
    value: tuple[Number, ...] = (Number("0"),)
    percent: bool = False
    warning: bool = False


@dataclass(frozen=True)
class Column:
    """A column and what is promised of it; `flags` are required and unique."""

    name: str
    kind: Kind
    flags: frozenset[str] = frozenset()
    key: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    enum: tuple[Any, ...] = ()
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Product:
    """A contract and what is delivered for it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    rules: tuple[Rule, ...] = ()
    allow_empty: bool = False
    freshness: tuple[str, int] | None = None
