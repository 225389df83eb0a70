"""What a query calls otherwise than DuckDB does, called so that nobody can mix it up.

DuckDB calls what is computed by its text (`'ssn'`, `CAST(ssn AS VARCHAR)`), where sqlglot takes the
name inside; and it reads `a.b.c` as a column of the table `a.b`, or as a field of the column `b`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dataops_mesh.plan.lineage.sqlspelled import is_named

if TYPE_CHECKING:
    from sqlglot import exp


def with_names(query: exp.Query, own: str) -> bool:
    """Give what is computed in queries inside names that nobody can say; tell whether that is so.

    Args:
        query: as it was parsed; it is changed.
        own: how no name in it begins.
    """
    from sqlglot import exp

    for one in query.find_all(exp.SetOperation):
        sides = (one.this, one.expression) if one.args.get("by_name") else ()
        if not all(map(is_named, sides)):
            return False
    outer = {id(select) for select in _leaves(query)}
    count = 0
    for select in list(query.find_all(exp.Select)):
        if id(select) in outer:
            continue
        for one in list(select.expressions):
            if not _has_name(one):
                count += 1
                one.replace(exp.alias_(one.copy(), f"{own}_unnamed_{count}", quoted=True))
    return True


def with_tables(query: exp.Query) -> bool:
    """Write each `a.b.c` as what DuckDB reads; tell whether that is known of all.

    Args:
        query: as it was parsed; it is changed.
    """
    from sqlglot import exp

    there = {(one.text("db").lower(), one.name.lower()) for one in query.find_all(exp.Table)}
    for column in list(query.find_all(exp.Column)):
        first, second = column.text("db").lower(), column.table.lower()
        if not first:
            continue
        select = column.find_ancestor(exp.Select)
        if select is None or column.args.get("catalog"):
            return False
        read = list(_relations(select))
        called = [one.alias_or_name.lower() for one in read]
        tables = [
            one for one in read
            if isinstance(one, exp.Table) and not one.alias and one.name.lower() == second
            and one.text("db").lower() == first and not one.args.get("catalog")
        ]  # fmt: skip
        if len(tables) == 1 and called.count(second) == 1 and first not in called:
            column.set("db", None)
        elif (first, second) not in there and called.count(first) == 1:  # a field of a struct
            whole = exp.column(column.args["table"].copy(), table=column.args["db"].copy())
            column.replace(exp.Dot(this=whole, expression=column.this.copy()))
        else:
            return False
    return True


def _relations(select: exp.Select) -> Iterator[exp.Expr]:
    """Return what a SELECT reads itself."""
    source = select.args.get("from_") or select.args.get("from")
    every = [source, *(select.args.get("joins") or ()), *(select.args.get("laterals") or ())]
    for one in every:
        if one is not None:
            yield one.this
            yield from (join.this for join in one.this.args.get("joins") or ())


def _leaves(query: exp.Expr) -> Iterator[exp.Expr]:
    """Return the SELECTs whose columns are those of a query."""
    from sqlglot import exp

    inner = query.unnest()
    if isinstance(inner, exp.SetOperation):
        yield from _leaves(inner.this)
        yield from _leaves(inner.expression)
    else:
        yield inner


def _has_name(one: exp.Expr) -> bool:
    from sqlglot import exp

    while isinstance(one, exp.Paren):
        one = one.this
    return isinstance(one, exp.Alias | exp.Aliases | exp.Column | exp.Star | exp.Dot)
