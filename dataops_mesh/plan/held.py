"""What the values of a query's columns hold, followed through every query inside it.

Each column of each SELECT holds columns that can be read in it, columns of which it has a hash, and
it is one as it stands or computed of some. What a breaker leaves depends on all three: a bucket of
what was computed keeps what went in, and so does a hash that somebody compares. A recursive query
reads its own rows, so nothing is said before nothing changes any more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from dataops_mesh.plan.sqlshape import (
    column_names,
    is_matched,
    is_recursive,
    is_using,
    makes_numbers,
    makes_what_nobody_knows,
    reads_something,
    says_nothing,
    source_of,
    whole_query,
)

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

Origin = tuple[str, str]  # input port, column
UNKNOWN: Origin = ("", "")
_AGAIN = re.compile(r"(?:[_:]\d+)+$")  # how DuckDB calls a column whose name is there already


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
        counted: it is a number that the query made: of any value that it is joined to.
    """

    clear: frozenset[Origin] = frozenset()
    hashed: frozenset[Origin] = frozenset()
    stands: Stands = Stands.AS_IS
    counted: bool = False

    @property
    def both(self) -> frozenset[Origin]:
        """Return the columns that are in it once somebody compares it."""
        return self.clear | self.hashed


_NOTHING = Held()
_ANYTHING = Held(frozenset({UNKNOWN}), stands=Stands.COMPUTED)


class Breakers(Protocol):
    """What is known of functions."""

    def bucket(self, node: exp.Expr) -> tuple[Stands, Iterable[exp.Column]] | None:
        """Return the columns that must stand, and how, so that nothing of them is left."""

    def hashes(self, node: exp.Expr) -> bool:
        """Tell whether it hashes what is in it."""

    def compares(self, node: exp.Expr) -> bool:
        """Tell whether it may say if two values are the same."""

    def casts(self, node: exp.Expr) -> Stands | None:
        """Return how its argument still stands, if it is a cast that keeps it."""


def held_by(
    query: exp.Query,
    names: Mapping[str, str],
    spelled: Mapping[str, Mapping[str, str]],
    breakers: Breakers,
) -> dict[str, Held]:
    """Return what each column of a query holds.

    Args:
        query: with every name resolved, and nothing called by a name that is not a column's.
        names: the relations outside the query, by what they are called in it.
        spelled: of each of those, how its columns are spelled.
        breakers: what is known of functions.
    """
    return _Followed(query, names, spelled, breakers).columns()


class _Followed:
    def __init__(
        self,
        query: exp.Query,
        names: Mapping[str, str],
        spelled: Mapping[str, Mapping[str, str]],
        breakers: Breakers,
    ) -> None:
        from sqlglot.optimizer.scope import traverse_scope

        self._names, self._spelled, self._breakers = names, spelled, breakers
        self._query = query.unnest()
        self._scopes = {id(scope.expression): scope for scope in traverse_scope(query)}
        self._held: dict[tuple[int, int], Held] = {}

    def columns(self) -> dict[str, Held]:
        changed = True
        while changed:
            changed = False
            for scope in self._scopes.values():
                for number, held in enumerate(self._of_scope(scope)):
                    key = id(scope.expression), number
                    if self._held.get(key, _NOTHING) != held:
                        self._held[key] = held
                        changed = True
        names = column_names(self._query)
        called = Counter(map(str.lower, names))
        # DuckDB calls the second of two by another name, which may be that of a third.
        own = [called[n.lower()] <= 1 and called[_AGAIN.sub("", n.lower())] <= 1 for n in names]
        return {name: self._at(self._query, at) for at, name in enumerate(names) if own[at]}

    def _of_scope(self, scope: Scope) -> Iterator[Held]:
        from sqlglot import exp

        query = scope.expression
        if isinstance(query, exp.SetOperation):
            sides = query.this.unnest(), query.expression.unnest()
            for number in range(len(query.named_selects)):
                yield _together(self._at(side, number) for side in sides)
        elif isinstance(query, exp.Select):
            known = not query.is_star
            for one in query.expressions:
                yield self._of_value(one, scope) if known else _ANYTHING

    def _at(self, query: exp.Expr, number: int) -> Held:
        """Return what is known by now of a column of a query inside."""
        if number >= len(column_names(query)) or id(query) not in self._scopes:
            return _ANYTHING
        return self._held.get((id(query), number), _NOTHING)

    def _of_value(self, value: exp.Expr, scope: Scope) -> Held:
        from sqlglot import exp

        stands = Stands.AS_IS
        inner = value.unalias()
        while (kept := self._breakers.casts(inner)) is not None:
            stands, inner = min(stands, kept), inner.this
        if isinstance(inner, exp.Column):
            found = self._of_column(inner, scope)
            return replace(found, stands=min(stands, found.stands))
        if is_using(inner):  # what `using` makes of two columns of one name
            found = _together(self._of_column(one, scope) for one in inner.find_all(exp.Column))
            return replace(found, stands=min(stands, found.stands))
        return self._computed(inner, scope)

    def _computed(self, value: exp.Expr, scope: Scope) -> Held:
        """Return what is left of all columns in a value that is computed."""
        from sqlglot import exp

        clear: set[Origin] = set()
        hashed: set[Origin] = set()
        pending = [(value, False)]
        counted = False
        from_nowhere = not reads_something(scope.expression)
        while pending:
            node, compared = pending.pop()
            held = _NOTHING
            bucket = self._breakers.bucket(node)
            if bucket is not None:
                least, columns = bucket
                found = [self._of_column(one, scope) for one in columns]
                held = Held(_all(one.both for one in found if one.stands < least))
            elif self._breakers.hashes(node):
                held = Held(hashed=self._computed(node.this, scope).both)
            elif isinstance(node, exp.Column):
                held = self._of_column(node, scope)
            elif isinstance(node, exp.Exists):
                held = self._of_existing(node)
            elif isinstance(node, exp.In) and node.args.get("query"):
                held = self._of_existing(node.args["query"])
                pending.append((node.this, True))
            elif isinstance(node, exp.Query):
                held = self._of_existing(node) if says_nothing(node) else self._of_query(node)
            elif makes_what_nobody_knows(node, self._query):
                held = _ANYTHING
            else:
                compared = compared or self._breakers.compares(node)
                pending += [(one, compared) for one in node.iter_expressions()]
            counted = counted or held.counted or isinstance(node, exp.Window)
            clear |= held.both if compared else held.clear
            hashed |= frozenset() if compared else held.hashed
        if from_nowhere and value.find(exp.Column, exp.Query) is None:
            clear.add(UNKNOWN)  # a row that the query makes may be any value that it is joined to
        none = not clear and not hashed
        stands = Stands.AS_IS if none else Stands.COMPUTED
        return Held(frozenset(clear), frozenset(hashed), stands, counted)

    def _of_query(self, node: exp.Query) -> Held:
        """Return what a query holds that stands where a value does."""
        inner = node.unnest()
        found = [self._at(inner, at) for at in range(len(column_names(inner)))] or [_ANYTHING]
        return Held(_all(one.clear for one in found), _all(one.hashed for one in found))

    def _of_existing(self, node: exp.Expr) -> Held:
        """Return what decides whether a row is there: what queries inside name of theirs."""
        from sqlglot import exp

        found = []
        for select in node.find_all(exp.Select):
            scope = self._scopes.get(id(select))
            if scope is None:
                return _ANYTHING
            own = scope.selected_sources
            named = (
                one for one in select.find_all(exp.Column) if not one.table or one.table in own
            )
            found += [self._of_column(one, scope) for one in named]
        return Held(_all(one.both for one in found))

    def _of_column(self, column: exp.Column, scope: Scope) -> Held:
        from sqlglot import exp

        source = source_of(column.table, scope)
        if isinstance(column.this, exp.Star):
            return _ANYTHING
        if isinstance(source, exp.Table):
            if source.name not in self._names or source.args.get("pivots"):
                return _ANYTHING
            origin = self._names[source.name]
            name = self._spelled[origin].get(column.name.lower(), column.name)
            return Held(frozenset({(origin, name)}))
        if source is None:
            return _ANYTHING
        found = self._of_relation(source, column.name)
        return _ANYTHING if found.counted and is_matched(column, scope) else found

    def _of_relation(self, source: Scope, name: str) -> Held:
        """Return what a column of a query inside holds, by its name."""
        from sqlglot import exp

        relation = source.expression
        called = list(source.outer_columns)
        if isinstance(relation, exp.UDTF):
            inner = relation.this if isinstance(relation, exp.Lateral) else None
            if not isinstance(inner, exp.Subquery):
                return self._of_rows(relation, source)
            called = called or list(relation.alias_column_names)
            query: exp.Expr = inner.unnest()
        else:
            query = whole_query(relation)
        names = column_names(query)
        names[: len(called)] = called[: len(names)]
        wanted = {name.lower(), _AGAIN.sub("", name.lower())}
        twice = len({one.lower() for one in names}) < len(names)
        found = [
            self._at(query, number)
            for number, one in enumerate(names)
            if one.lower() == name.lower() or (twice and one.lower() in wanted)
        ]
        told = _together(found) if found else _ANYTHING
        return replace(told, counted=told.counted or (is_recursive(query) and not told.both))

    def _of_rows(self, relation: exp.UDTF, scope: Scope) -> Held:
        """Return what rows hold that a function makes of values: a range is of any value."""
        from sqlglot import exp

        columns = list(relation.find_all(exp.Column))
        if not columns or any(map(makes_numbers, relation.walk())):
            return _ANYTHING
        found = [self._of_column(one, scope) for one in columns]
        return Held(_all(one.both for one in found), stands=Stands.COMPUTED)


def _all(sets: Iterable[frozenset[Origin]]) -> frozenset[Origin]:
    return frozenset[Origin]().union(*sets)


def _together(found: Iterable[Held]) -> Held:
    """Return what a value holds that is one of several."""
    every = list(found)
    stands = min((one.stands for one in every), default=Stands.AS_IS)
    counted = any(one.counted for one in every)
    return Held(
        _all(one.clear for one in every), _all(one.hashed for one in every), stands, counted
    )
