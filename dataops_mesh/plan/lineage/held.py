"""What the values of a query's columns hold, followed through every query inside it.

A bucket of what was computed keeps what went in, and so does a hash that somebody compares. A
recursive query reads its own rows, so nothing is said before nothing changes any more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dataops_mesh.plan.lineage.heldrows import of_rows, rows_of
from dataops_mesh.plan.lineage.holding import (
    ANYTHING,
    MADE,
    MADE_OF_ANYTHING,
    NONE,
    NOTHING,
    UNKNOWN,
    Breakers,
    Held,
    Origin,
    Parts,
    Stands,
    every_of,
    side_by_side,
    together,
)
from dataops_mesh.plan.lineage.sqlrows import (
    SERIES,
    choosing,
    deciding,
    ends_by_values,
    group_keys,
    is_series,
    makes_rows,
    makes_values,
    makes_what_nobody_knows,
)
from dataops_mesh.plan.lineage.sqlshape import (
    column_names,
    is_recursive,
    is_using,
    is_written,
    places_of,
    reads_something,
    said_once,
    says_nothing,
    sides_of,
    source_of,
    whole_query,
)

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def held_by(
    query: exp.Query,
    names: Mapping[str, str],
    spelled: Mapping[str, Mapping[str, str]],
    breakers: Breakers,
    is_secret: Callable[[Origin], bool],
) -> dict[str, Held]:
    """Return what each column of a query holds.

    Args:
        query: with every name resolved.
        names: the relations outside, by what they are called in it.
        spelled: how the columns of each are spelled.
        breakers: what is known of functions.
        is_secret: whether anybody minds that a column is seen.
    """
    return _Followed(query, names, spelled, breakers, is_secret).columns()


class _Followed:
    def __init__(
        self,
        query: exp.Query,
        names: Mapping[str, str],
        spelled: Mapping[str, Mapping[str, str]],
        breakers: Breakers,
        is_secret: Callable[[Origin], bool],
    ) -> None:
        from sqlglot.optimizer.scope import traverse_scope

        self._names, self._spelled, self._breakers = names, spelled, breakers
        self._is_secret = is_secret
        self._whole, self._query = query, query.unnest()
        self.scopes = {id(scope.expression): scope for scope in traverse_scope(query)}
        self._held: dict[tuple[int, int], Held] = {}
        self.made, self._first = MADE, dict[tuple[int, int], Held]()

    def columns(self) -> dict[str, Held]:
        self._follow()
        # Where somebody minds what decides, what the query makes may be matched with it somehow.
        if any(self._is_minded(column) for column in deciding(self._whole)):
            self.made, self._first, self._held = MADE_OF_ANYTHING, self._held, {}
            self._follow()
        return {name: self._at(self._query, at) for at, name in said_once(self._query)}

    def _follow(self) -> None:
        changed = True
        while changed:
            changed = False
            for scope in self.scopes.values():
                for number, held in enumerate(self._of_scope(scope)):
                    key = id(scope.expression), number
                    if self._held.get(key, NOTHING) != held:
                        self._held[key] = held
                        changed = True

    def _is_minded(self, column: exp.Column) -> bool:
        """Tell whether a column holds what somebody minds; one of no relation is asked below."""
        from sqlglot import exp

        scope = self.scopes.get(id(column.find_ancestor(exp.Select)))
        if scope is None or not column.table:
            return scope is None
        held = self.of_column(column, scope)
        return any(one == UNKNOWN or self._is_secret(one) for one in held.both)

    def _of_scope(self, scope: Scope) -> Iterator[Held]:
        from sqlglot import exp

        query = scope.expression
        if isinstance(query, exp.SetOperation):
            sides = sides_of(query)
            for number in range(len(query.named_selects)):
                yield self._of_sides(sides, number)
        elif isinstance(query, exp.Select):
            known = not query.is_star
            held = [self._of_value(one, scope) if known else ANYTHING for one in query.expressions]
            matches = self._matched(scope)
            for one in held:  # whether there is a row says that it does, too
                clear = one.clear | matches if one.counted else one.clear
                yield replace(one, clear=clear, matches=one.matches | matches)

    def _of_sides(self, sides: tuple[exp.Expr, ...], number: int) -> Held:
        """Return what a column of a union holds: values written in it are guesses of the others."""
        held = together(self._at(side, number) for side in sides)
        written = held.counted or any(is_written(side, number) for side in sides)
        return replace(held, clear=held.both, hashed=NONE, counted=True) if written else held

    def _matched(self, scope: Scope) -> frozenset[Origin]:
        """Return the columns that somebody minds and that choose rows beside what was made."""
        ends = frozenset({UNKNOWN}) if ends_by_values(scope.expression) else NONE
        parts = (self._computed(part, scope) for part in choosing(scope.expression))
        return ends | every_of(part.matches for part in parts)

    def _at(self, query: exp.Expr, number: int) -> Held:
        """Return what is known by now of a column of a query inside."""
        if number >= len(column_names(query)) or id(query) not in self.scopes:
            return ANYTHING
        return self._held.get((id(query), number), NOTHING)

    def _of_value(self, value: exp.Expr, scope: Scope) -> Held:
        from sqlglot import exp

        stands = Stands.AS_IS
        inner = value.unalias()
        while (kept := self._breakers.casts(inner)) is not None:
            stands, inner = min(stands, kept), inner.this
        # What `using` makes of two columns of one name is one of them as it stands.
        if isinstance(inner, exp.Column) or is_using(inner):
            found = together(self.of_column(one, scope) for one in inner.find_all(exp.Column))
            return replace(found, stands=min(stands, found.stands))
        return self._computed(inner, scope)

    def _computed(self, value: exp.Expr, scope: Scope) -> Held:
        from sqlglot import exp

        parts = Parts(self._is_secret)
        pending = [(value, False, False)]
        from_nowhere = not reads_something(scope.expression)
        while pending:
            node, compared, inside = pending.pop()
            held = self._of_part(node, scope)
            if held is None:
                if isinstance(node, exp.In) and node.args.get("query"):
                    held, below = self._of_existing(node.args["query"]), [(node.this, True)]
                else:
                    compared = compared or self._breakers.compares(node)
                    below = [(one, compared) for one in node.iter_expressions()]
                inside = inside or isinstance(node, exp.Window)
                pending += [(one, told, inside) for one, told in below]
            counts = isinstance(node, exp.AggFunc | exp.Anonymous)  # so does `len(list(1))`
            if makes_values(node) or (counts and rows_of(scope, self)):
                parts.add("", self.made, compared=compared)
            if isinstance(node, exp.Window) or makes_rows(node):
                parts.add_numbers()
            if held is not None:
                parts.add(node, held, compared=compared, in_window=inside)
        if from_nowhere and value.find(exp.Column, exp.Query) is None:
            parts.add_numbers()  # a row that the query makes may be any value it is joined to
        return parts.held()

    def _of_part(self, node: exp.Expr, scope: Scope) -> Held | None:
        """Return what a part of a value holds; None where its own parts say it."""
        from sqlglot import exp

        if self._breakers.counts(node):
            # Which rows are counted may be those in which what the query made is the value.
            inner = together(self._computed(one, scope) for one in node.iter_expressions())
            keys = every_of(self._computed(key, scope).both for key in group_keys(scope.expression))
            told = rows_of(scope, self) | (inner.both & keys)  # of one value it is that value
            return Held(told | inner.matches, counted=True)
        if (bucket := self._breakers.bucket(node)) is not None:
            return self._of_bucket(node, bucket, scope)
        if self._breakers.hashes(node):
            inner = self._computed(node.this, scope)
            return replace(inner, clear=NONE, hashed=inner.both, stands=Stands.AS_IS)
        if isinstance(node, exp.Column):
            return self.of_column(node, scope)
        if isinstance(node, exp.Exists):
            return self._of_existing(node)
        if isinstance(node, exp.Query):
            return self._of_existing(node) if says_nothing(node) else self._of_query(node)
        return ANYTHING if makes_what_nobody_knows(node, self._query) else None

    def _of_bucket(
        self, node: exp.Expr, bucket: tuple[Stands, Iterable[exp.Column]], scope: Scope
    ) -> Held:
        """Return what a bucket leaves of its columns: nothing, where they stand as they must."""
        from sqlglot import exp

        least, columns = bucket
        found: dict[Hashable, Held] = {one: self.of_column(one, scope) for one in columns}
        left = every_of(one.both for one in found.values() if one.stands < least)
        every = side_by_side(found, self._is_secret)
        # Two buckets below may say together what each of them does not.
        left |= every.both - every_of(one.both for one in found.values())
        told = every.both if not isinstance(node, exp.Is) else NONE
        # Of two columns it may be another one elsewhere, where the second is other values.
        which = (node, id(scope.expression) if len(found) > 1 else 0)
        coarse = every.coarse | {(origin, which) for origin in told}
        return Held(left, counted=every.counted, coarse=coarse, matches=every.matches)

    def _of_query(self, node: exp.Query) -> Held:
        """Return what a query holds that stands where a value does."""
        inner = node.unnest()
        found = [self._at(inner, at) for at in range(len(column_names(inner)))] or [ANYTHING]
        return replace(together(found), stands=Stands.COMPUTED)

    def _of_existing(self, node: exp.Expr) -> Held:
        """Return what decides whether a row is there: what queries inside name of theirs."""
        from sqlglot import exp

        found = dict[Hashable, Held]()
        for column in node.find_all(exp.Column):
            select = column.find_ancestor(exp.Select)
            scope = self.scopes.get(id(select))
            held = ANYTHING if scope is None else self.of_column(column, scope)
            found[column, id(select)] = held
        return side_by_side(found, self._is_secret)

    def of_column(self, column: exp.Column, scope: Scope) -> Held:
        """Return what a column holds where it stands."""
        from sqlglot import exp

        source = source_of(column.table, scope)
        if isinstance(column.this, exp.Star):
            return ANYTHING
        if isinstance(source, exp.Table):
            if is_series(source) and column.name.lower() in SERIES:
                return self.made
            if source.name not in self._names or source.args.get("pivots"):
                return ANYTHING
            origin = self._names[source.name]
            name = self._spelled[origin].get(column.name.lower(), column.name)
            return Held(frozenset({(origin, name)}))
        if source is None:
            return ANYTHING
        return self._of_relation(source, column.name)

    def _of_relation(self, source: Scope, name: str) -> Held:
        """Return what a column of a query inside holds, by its name."""
        from sqlglot import exp

        relation = source.expression
        called = list(source.outer_columns)
        if isinstance(relation, exp.UDTF):
            inner = relation.this if isinstance(relation, exp.Lateral) else None
            if not isinstance(inner, exp.Subquery):
                return of_rows(relation, source, self)
            called = called or list(relation.alias_column_names)
            query: exp.Expr = inner.unnest()
        else:
            query = whole_query(relation)
        places = places_of(name, query, called)
        told = together(self._at(query, at) for at in places) if places else ANYTHING
        if not is_recursive(query):
            return told
        # Its own rows are read before anything is known of them: what the first look said counts.
        before = [self._first.get((id(query), at), NOTHING) for at in places]
        made = self.made if self._first and not together(before).both else NOTHING
        return together((told, made)) if made.both else replace(told, counted=not told.both)
