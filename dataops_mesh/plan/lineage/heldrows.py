"""What rows hold that a query makes, and what says how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from dataops_mesh.plan.lineage.holding import (
    ANYTHING,
    NONE,
    Held,
    Origin,
    Stands,
    every_of,
    together,
)
from dataops_mesh.plan.lineage.sqlrows import (
    columns_that_make_rows,
    is_series,
    makes_numbers,
    makes_own_rows,
    says_values,
)
from dataops_mesh.plan.lineage.sqlshape import sides_of, whole_lateral

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


class Followed(Protocol):
    """What is known of the columns of a query by now."""

    @property
    def scopes(self) -> Mapping[int, Scope]:
        """Return the scope of each query inside, by its identity."""

    @property
    def made(self) -> Held:
        """Return what a value holds that the query makes of nothing."""

    def of_column(self, column: exp.Column, scope: Scope) -> Held:
        """Return what a column holds where it stands."""


def rows_of(scope: Scope, known: Followed, seen: frozenset[int] = frozenset()) -> frozenset[Origin]:
    """Return the columns that say how many rows there are: `range(pin)` has as many."""
    from sqlglot import exp

    found = NONE
    sources = [source for _, source in scope.selected_sources.values()]
    sides = (known.scopes.get(id(side)) for side in sides_of(scope.expression))
    for source in (*sources, *filter(None, sides)):
        if isinstance(source, exp.Table):
            made, at, own = columns_that_make_rows(source), scope, is_series(source)
        else:
            at = known.scopes.get(id(whole_lateral(source.expression)), source)
            made, own = columns_that_make_rows(at.expression), makes_own_rows(at.expression)
            found |= rows_of(at, known, seen | {id(at)}) if id(at) not in seen else NONE
        found |= known.made.both if own else NONE
        found |= every_of(known.of_column(one, at).both for one in made)
    return found


def of_rows(relation: exp.UDTF, scope: Scope, known: Followed) -> Held:
    """Return what rows hold that a function makes of values: a range is of any value."""
    from sqlglot import exp

    columns = list(relation.find_all(exp.Column))
    if not columns:
        return known.made if relation.find(exp.Query) is None else ANYTHING
    if any(map(makes_numbers, relation.walk())):
        return ANYTHING
    held = [known.of_column(one, scope) for one in columns]
    found = together([*held, known.made] if says_values(relation) else held)
    return replace(found, clear=found.both, hashed=NONE, stands=Stands.COMPUTED, counted=True)
