"""What parts of a query are: what a name means in it, how its columns are called."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

AGAIN = re.compile(r"(?:[_:]\d+)+$")  # how DuckDB calls a column whose name is there already


def column_names(query: exp.Expr) -> list[str]:
    """Return how the columns of a query are called; nothing where it is none."""
    from sqlglot import exp

    return query.named_selects if isinstance(query, exp.Select | exp.SetOperation) else []


def said_once(query: exp.Expr) -> list[tuple[int, str]]:
    """Return the columns of a query whose name no other has, each with its place.

    DuckDB calls the second of two by another name, which may be that of a third.
    """
    names = column_names(query)
    called = Counter(map(str.lower, names))
    return [
        (at, name)
        for at, name in enumerate(names)
        if called[name.lower()] <= 1 and called[AGAIN.sub("", name.lower())] <= 1
    ]


def places_of(name: str, query: exp.Expr, called: list[str]) -> list[int]:
    """Return where the columns of a query stand that a name may mean.

    Args:
        name: the name.
        query: the query.
        called: how its first columns are called by who reads it.
    """
    names = column_names(query)
    names[: len(called)] = called[: len(names)]
    wanted = {name.lower(), AGAIN.sub("", name.lower())}
    twice = len({one.lower() for one in names}) < len(names)
    return [
        at
        for at, one in enumerate(names)
        if one.lower() == name.lower() or (twice and one.lower() in wanted)
    ]


def source_of(name: str, scope: Scope) -> exp.Table | Scope | None:
    """Return what a name means where it stands: the nearest relation that is read by it."""
    at: Scope | None = scope
    while at is not None and name:
        if name in at.selected_sources:
            return at.selected_sources[name][1]
        if name in at.lateral_sources:
            return at.lateral_sources[name]
        at = at.parent
    return None


def whole_query(relation: exp.Expr) -> exp.Expr:
    """Return the query that a name means; inside a recursive one, all of it and not its start."""
    from sqlglot import exp

    above = relation.parent
    while isinstance(above, exp.SetOperation | exp.Subquery) and above.parent is not None:
        above = above.parent
    found = above.this if isinstance(above, exp.CTE) else relation
    inner: exp.Expr = found.unnest()
    return inner


def is_using(value: exp.Expr) -> bool:
    """Tell whether it is what `using` makes of two columns of one name."""
    from sqlglot import exp

    if not isinstance(value, exp.Coalesce):
        return False
    every = [value.this, *value.expressions]
    return (
        all(isinstance(one, exp.Column) for one in every) and len({one.name for one in every}) == 1
    )


def reads_something(query: exp.Expr) -> bool:
    """Tell whether a query reads any relation."""
    return any(query.args.get(key) for key in ("from_", "from", "joins", "laterals"))


def whole_lateral(relation: exp.Expr) -> exp.Expr:
    """Return the query of a lateral one; anything else as it is."""
    from sqlglot import exp

    is_query = isinstance(relation, exp.Lateral) and isinstance(relation.this, exp.Subquery)
    found: exp.Expr = relation.this.unnest() if is_query else relation
    return found


def says_nothing(query: exp.Query) -> bool:
    """Tell whether a query says the same of each row, so that it only says whether one is there."""
    from sqlglot import exp

    inner = query.unnest()
    return isinstance(inner, exp.Select) and not any(
        one.find(exp.Column, exp.AggFunc, exp.Query, exp.Star) for one in inner.expressions
    )


def is_written(query: exp.Expr, number: int) -> bool:
    """Tell whether the values of a column of a query are written there; a null is none."""
    from sqlglot import exp

    if not isinstance(query, exp.Select) or number >= len(query.expressions):
        return False
    inner = query.expressions[number].unalias()
    while isinstance(inner, exp.Paren | exp.Cast):
        inner = inner.this
    return not isinstance(inner, exp.Null) and inner.find(exp.Column, exp.Query) is None


def sides_of(query: exp.Expr) -> tuple[exp.Expr, ...]:
    """Return the two queries of a union and the like; nothing of another one."""
    from sqlglot import exp

    if not isinstance(query, exp.SetOperation):
        return ()
    return query.this.unnest(), query.expression.unnest()


def is_recursive(query: exp.Expr) -> bool:
    """Tell whether a query stands in a common table expression that reads itself."""
    from sqlglot import exp

    named = query.find_ancestor(exp.CTE)
    clause = named.parent if named is not None else None
    if named is None or not isinstance(clause, exp.With) or not clause.args.get("recursive"):
        return False
    return any(one.name.lower() == named.alias.lower() for one in named.find_all(exp.Table))
