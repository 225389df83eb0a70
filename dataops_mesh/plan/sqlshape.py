"""What parts of a query are: what a name means in it, what makes rows and numbers of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
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


SERIES = frozenset({"range", "generate_series"})


def is_series(table: exp.Table) -> bool:
    """Tell whether it is a range between ends that are written there, read as a relation."""
    from sqlglot import exp

    return makes_numbers(table.this) and table.find(exp.Column, exp.Query) is None


def makes_rows(node: exp.Expr) -> bool:
    """Tell whether it makes rows of one value, or of none."""
    from sqlglot import exp

    return isinstance(node, exp.Explode | exp.Unnest) or makes_numbers(node)


def whole_lateral(relation: exp.Expr) -> exp.Expr:
    """Return the query of a lateral one; anything else as it is."""
    from sqlglot import exp

    is_query = isinstance(relation, exp.Lateral) and isinstance(relation.this, exp.Subquery)
    found: exp.Expr = relation.this.unnest() if is_query else relation
    return found


def columns_that_make_rows(relation: exp.Expr) -> list[exp.Column]:
    """Return the columns that decide how many rows a function makes in a relation."""
    from sqlglot import exp

    if isinstance(relation, exp.UDTF | exp.Table):
        return [*relation.find_all(exp.Column)]
    said = relation.expressions if isinstance(relation, exp.Select) else []
    made = (rows for one in said for rows in one.walk() if makes_rows(rows))
    return [column for rows in made for column in rows.find_all(exp.Column)]


def makes_numbers(node: exp.Expr) -> bool:
    """Tell whether it makes rows of numbers or times out of their ends."""
    from sqlglot import exp

    series = exp.GenerateSeries | exp.GenerateDateArray | exp.GenerateTimestampArray
    called = isinstance(node, exp.Anonymous) and node.name.lower() in SERIES
    return called or isinstance(node, series)


def says_nothing(query: exp.Query) -> bool:
    """Tell whether a query says the same of each row, so that it only says whether one is there."""
    from sqlglot import exp

    inner = query.unnest()
    return isinstance(inner, exp.Select) and not any(
        one.find(exp.Column, exp.AggFunc, exp.Query, exp.Star) for one in inner.expressions
    )


def choosing(query: exp.Expr) -> Iterator[exp.Expr]:
    """Return what decides which rows there are, and which come first; each `and` in its parts."""
    from sqlglot import exp

    if order := query.args.get("order"):
        yield order
    distinct = query.args.get("distinct")
    said = [distinct.args["on"]] if distinct is not None and distinct.args.get("on") else []
    said += [query.args[key].this for key in ("where", "having", "qualify") if query.args.get(key)]
    said += [on for join in query.args.get("joins") or () if (on := join.args.get("on"))]
    for condition in said:
        yield from condition.flatten() if isinstance(condition, exp.And) else [condition]


def ends_by_values(query: exp.Expr) -> bool:
    """Tell whether how many rows there are is more than a number that is written there."""
    from sqlglot import exp

    ends = (query.args.get(key) for key in ("limit", "offset"))
    return any(one is not None and one.find(exp.Column, exp.Query) for one in ends)


def is_written(query: exp.Expr, number: int) -> bool:
    """Tell whether the values of a column of a query are written there; a null is none."""
    from sqlglot import exp

    if not isinstance(query, exp.Select) or number >= len(query.expressions):
        return False
    inner = query.expressions[number].unalias()
    while isinstance(inner, exp.Paren | exp.Cast):
        inner = inner.this
    return not isinstance(inner, exp.Null) and inner.find(exp.Column, exp.Query) is None


def is_recursive(query: exp.Expr) -> bool:
    """Tell whether a query stands in a common table expression that reads itself."""
    from sqlglot import exp

    named = query.find_ancestor(exp.CTE)
    clause = named.parent if named is not None else None
    if named is None or not isinstance(clause, exp.With) or not clause.args.get("recursive"):
        return False
    return any(one.name.lower() == named.alias.lower() for one in named.find_all(exp.Table))


def makes_what_nobody_knows(node: exp.Expr, query: exp.Expr) -> bool:
    """Tell whether it makes any value, as a range does, or numbers rows in an order of below."""
    from sqlglot import exp

    if isinstance(node, exp.Window):
        return _follows_an_order(node) and any(
            isinstance(one.parent, exp.Query) and one.parent is not query
            for one in query.find_all(exp.Order)
        )
    cells = isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count)
    return cells or (makes_numbers(node) and node.find(exp.Column, exp.Query) is not None)


def _follows_an_order(window: exp.Window) -> bool:
    """Tell whether a window counts in the order in which rows come: it says none of its own.

    A sum over a whole partition is the same in any order.
    """
    from sqlglot import exp

    if window.args.get("order"):
        return False
    whole = (exp.Sum, exp.Avg, exp.Count, exp.Min, exp.Max, exp.Stddev, exp.Variance)
    inner = window.this.this if isinstance(window.this, exp.Filter) else window.this
    return bool(window.args.get("spec")) or not isinstance(inner, whole)
