"""What decides which rows a query has, and what makes rows and values that are in no relation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dataops_mesh.plan.lineage.sqlshape import is_recursive

if TYPE_CHECKING:
    from sqlglot import exp


SERIES = frozenset({"range", "generate_series"})
_NUMBERING = SERIES | {"generate_subscripts", "regexp_split_to_table"}


def is_series(table: exp.Table) -> bool:
    """Tell whether it is a range between ends that are written there, read as a relation."""
    from sqlglot import exp

    return makes_numbers(table.this) and table.find(exp.Column, exp.Query) is None


def makes_rows(node: exp.Expr) -> bool:
    """Tell whether it makes rows of one value, or of none."""
    from sqlglot import exp

    return isinstance(node, exp.Explode | exp.Unnest) or makes_numbers(node)


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
    called = isinstance(node, exp.Anonymous) and node.name.lower() in _NUMBERING
    return called or isinstance(node, series)


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


def deciding(query: exp.Expr) -> Iterator[exp.Column]:
    """Return the columns that do more than stand in the list of a SELECT, or are hashed there.

    Where rows are thrown away that are like others, every column decides.
    """
    from sqlglot import exp

    throws = any(
        (isinstance(one, exp.SetOperation) and one.args.get("distinct") is not False)
        or (isinstance(one, exp.Select) and one.args.get("distinct"))
        for one in query.walk()
    )
    for column in query.find_all(exp.Column):
        above = column.parent
        while isinstance(above, exp.Alias | exp.Paren | exp.Cast | exp.SHA2):
            above = above.parent
        if throws or not isinstance(above, exp.Select) or not _is_read(above):
            yield column


def _is_read(query: exp.Expr) -> bool:
    """Tell whether a query is the whole, or one that others read rows of."""
    from sqlglot import exp

    above = query.parent
    while isinstance(above, exp.Subquery | exp.SetOperation):
        above = above.parent
    return above is None or isinstance(above, exp.From | exp.Join | exp.CTE)


def group_keys(query: exp.Expr) -> list[exp.Expr]:
    """Return by what the rows of a query are grouped; of `all`, what is no number of a group."""
    from sqlglot import exp

    group = query.args.get("group")
    if group is None:
        return []
    keys = [*group.expressions]
    for sets in ("grouping_sets", "cube", "rollup"):
        for one in group.args.get(sets) or ():
            keys += one.expressions
    if group.args.get("all"):
        keys += [one for one in query.expressions if one.find(exp.AggFunc) is None]
    return keys


def makes_own_rows(query: exp.Expr) -> bool:
    """Tell whether a relation has rows that are in no other, or as many as a value says."""
    from sqlglot import exp

    if isinstance(query, exp.UDTF):
        return query.find(exp.Column) is None or any(map(makes_numbers, query.walk()))
    if is_recursive(query) or ends_by_values(query):
        return True
    said = query.expressions if isinstance(query, exp.Select) else []
    return any(makes_rows(part) for one in said for part in one.walk())


def makes_values(node: exp.Expr) -> bool:
    """Tell whether it is a value that is in no relation: a number of a row, one by chance."""
    from sqlglot import exp

    if isinstance(node, exp.Window):
        return node.this.find(exp.Column) is None
    if makes_rows(node):
        return node.find(exp.Column) is None or says_values(node)
    return isinstance(node, exp.Rand | exp.Uuid)


def says_values(node: exp.Expr) -> bool:
    """Tell whether a list is written in it that has a value written in it."""
    from sqlglot import exp

    lists = node.find_all(exp.Array, exp.Tuple, exp.Values)
    return any(isinstance(one, exp.Literal) for each in lists for one in each.expressions)


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
