"""What a value of a query holds of the columns that were read."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlglot import exp

Origin = tuple[str, str]  # input port, column
Coarse = tuple[Origin, Hashable]  # a column, and which bucket of it
UNKNOWN: Origin = ("", "")


class Stands(IntEnum):
    """How far a column is one of those that were read."""

    COMPUTED = 0
    TRIED = 1  # where it could be cast: a null says that it could not
    AS_IS = 2


@dataclass(frozen=True, slots=True)
class Held:
    """What a value holds.

    Args:
        clear: the columns whose values are in it; `UNKNOWN` if nobody can tell of some.
        hashed: the columns of which it has a hash.
        stands: whether it is a column as it stands.
        counted: the query made it: it may be any value that it is compared with.
        coarse: the columns of which it has a bucket, each with which.
        matches: the columns of which it may say whether what the query made is their value.
    """

    clear: frozenset[Origin] = frozenset()
    hashed: frozenset[Origin] = frozenset()
    stands: Stands = Stands.AS_IS
    counted: bool = False
    coarse: frozenset[Coarse] = frozenset()
    matches: frozenset[Origin] = frozenset()

    @property
    def both(self) -> frozenset[Origin]:
        """Return the columns that are in it once somebody compares it."""
        return self.clear | self.hashed


NOTHING = Held()
NONE = frozenset[Origin]()
MADE = Held(stands=Stands.COMPUTED, counted=True)
ANYTHING = Held(frozenset({UNKNOWN}), stands=Stands.COMPUTED)
MADE_OF_ANYTHING = Held(frozenset({UNKNOWN}), stands=Stands.COMPUTED, counted=True)


class Breakers(Protocol):
    """What is known of functions."""

    def bucket(self, node: exp.Expr) -> tuple[Stands, Iterable[exp.Column]] | None:
        """Return the columns that must stand, and how, so that nothing of them is left."""

    def counts(self, node: exp.Expr) -> bool:
        """Tell whether it is a number of a group of rows."""

    def hashes(self, node: exp.Expr) -> bool:
        """Tell whether it hashes what is in it."""

    def compares(self, node: exp.Expr) -> bool:
        """Tell whether it may say if two values are the same."""

    def casts(self, node: exp.Expr) -> Stands | None:
        """Return how its argument still stands, if it is a cast that keeps it."""


def every_of(sets: Iterable[frozenset[Origin]]) -> frozenset[Origin]:
    """Return all columns that are in any of the sets."""
    return frozenset[Origin]().union(*sets)


def together(found: Iterable[Held]) -> Held:
    """Return what a value holds that is one of several."""
    every = list(found)
    stands = min((one.stands for one in every), default=Stands.AS_IS)
    counted = any(one.counted for one in every)
    clear, hashed = every_of(one.clear for one in every), every_of(one.hashed for one in every)
    coarse = frozenset[Coarse]().union(*(one.coarse for one in every))
    return Held(clear, hashed, stands, counted, coarse, every_of(one.matches for one in every))


@dataclass(slots=True)
class Parts:
    """What the parts of one value hold, as they are met.

    Args:
        minds: tells of a column whether anybody minds that it is seen.
    """

    minds: Callable[[Origin], bool]
    _clear: set[Origin] = field(default_factory=set)
    _hashed: set[Origin] = field(default_factory=set)
    _coarse: set[Coarse] = field(default_factory=set)
    _counted: set[Hashable] = field(default_factory=set)
    _minded: set[tuple[Hashable, bool]] = field(default_factory=set)
    _minds: set[Origin] = field(default_factory=set)
    _matches: set[Origin] = field(default_factory=set)
    _numbers: bool = False

    def add(self, name: Hashable, held: Held, *, compared: bool, in_window: bool = False) -> None:
        """Add a part.

        Args:
            name: which; a column that is said twice is one.
            held: what it holds.
            compared: somebody may tell by it what is hashed.
            in_window: it orders or divides the rows that a window numbers.
        """
        self._clear |= held.both if compared else held.clear
        self._hashed |= frozenset() if compared else held.hashed
        self._coarse |= held.coarse
        self._clear |= self._told_twice(held.coarse)
        self._matches |= held.matches
        if held.counted:
            self._counted.add(name)
        if minds := [one for one in held.both if one == UNKNOWN or self.minds(one)]:
            self._minds.update(minds)
            self._minded.add((name, in_window))

    def add_numbers(self) -> None:
        """Add that the query numbers rows, or makes some."""
        self._numbers = True

    def held(self) -> Held:
        """Return what the value holds."""
        clear, hashed = frozenset(self._clear), frozenset(self._hashed)
        stands = Stands.COMPUTED if clear or hashed else Stands.AS_IS
        counted = self._numbers or bool(self._counted)
        matches = frozenset(self._matches | self._minds if self._is_matched() else self._matches)
        return Held(clear, hashed, stands, counted, frozenset(self._coarse), matches)

    def _is_matched(self) -> bool:
        """Tell whether what the query made stands beside what somebody minds."""
        if self._numbers and any(not inside for _, inside in self._minded):
            return True
        return any(one != other for one in self._counted for other, _ in self._minded)

    def _told_twice(self, more: frozenset[Coarse]) -> frozenset[Origin]:
        """Return the columns of which there are two buckets: together they may say the value."""
        return frozenset(
            origin
            for origin, which in more
            if any(other == origin and one != which for other, one in self._coarse)
        )


def side_by_side(found: Mapping[Hashable, Held], minds: Callable[[Origin], bool]) -> Held:
    """Return what is held by a value that columns decide, each under a name of its own."""
    parts = Parts(minds)
    for name, held in found.items():
        parts.add(name, held, compared=True)
    return parts.held()
