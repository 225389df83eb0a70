"""What a query leaves to names, written out: `UNION BY NAME` by position, a named window in place.

Whoever follows a column through a query knows positions and expressions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

Qualified = Callable[["exp.Query"], "exp.Query"]
_MARK = "mesh_by_name"


def with_positions(query: exp.Query, qualified: Qualified) -> exp.Query | None:
    """Return the query with each set operation by name made one by position.

    What one side has not is null there. None where a side's columns are not known by their
    names: a star of who knows what, an expression that DuckDB would name by its text.

    Args:
        query: as it was parsed; it is changed.
        qualified: returns a query with its stars expanded.
    """
    from sqlglot import exp

    while found := [one for one in query.find_all(exp.SetOperation) if _is_by_name(one)]:
        ready = [chain for one in found if (chain := _chain(one))]
        every = [one for chain in ready for one in chain]
        for number, one in enumerate(every):
            one.meta[_MARK] = number
        told = {
            one.meta[_MARK]: (_names(one.this), _names(one.expression))
            for one in qualified(query.copy()).find_all(exp.SetOperation)
            if _MARK in one.meta
        }
        names = {id(one): told.get(one.meta.pop(_MARK), ((), ())) for one in every}
        if not ready or not all(_reorder(chain, names) for chain in ready):
            return None
    return query


def with_windows(query: exp.Query) -> exp.Query | None:
    """Return the query with each window that is called by its name written in its place.

    Args:
        query: as it was parsed; it is changed.
    """
    from sqlglot import exp

    for select in list(query.find_all(exp.Select)):
        named: dict[str, exp.Window] = {}
        for one in select.args.get("windows") or ():
            if not _inherit(one, named):
                return None
            named[one.name.lower()] = one
        for one in list(select.find_all(exp.Window)):
            if one.find_ancestor(exp.Select) is select and not _inherit(one, named):
                return None
        select.set("windows", None)
    # What is left stands where no SELECT is around it.
    return None if any(one.args.get("alias") for one in query.find_all(exp.Window)) else query


def _is_by_name(one: exp.Expr) -> bool:
    return bool(one.args.get("by_name"))


def _chain(last: exp.SetOperation) -> list[exp.SetOperation]:
    """Return the operations by name that make one relation, if nothing they read is made so.

    Nothing where another one goes on with it, or must be written out before.
    """
    from sqlglot import exp

    above = last.parent
    while isinstance(above, exp.Subquery):
        above = above.parent
    if isinstance(above, exp.SetOperation) and _is_by_name(above):
        return []
    chain, pending = [], [last]
    while pending:
        one = pending.pop()
        chain.append(one)
        sides = [side.unnest() for side in (one.this, one.expression)]
        pending += [side for side in sides if _is_by_name(side)]
    inside = [one for one in last.find_all(exp.SetOperation) if _is_by_name(one)]
    return chain if len(inside) == len(chain) and not any(map(_is_made, _visible(last))) else []


def _visible(query: exp.Query) -> Iterator[exp.CTE]:
    """Return the common table expressions that may be named in a query."""
    from sqlglot import exp

    through: exp.Expr | None = None
    at: exp.Expr | None = query
    while at is not None:
        clause = at.args.get("with_") or at.args.get("with")
        for cte in clause.expressions if isinstance(clause, exp.With) else ():
            if cte is through:
                break
            yield cte
        through = at if isinstance(at, exp.CTE) else through
        at = at.parent


def _is_made(cte: exp.CTE) -> bool:
    """Tell whether something in it is by name."""
    from sqlglot import exp

    return any(map(_is_by_name, cte.find_all(exp.SetOperation)))


def _reorder(
    chain: list[exp.SetOperation], names: dict[int, tuple[tuple[str, ...], tuple[str, ...]]]
) -> bool:
    """Give each side all columns of the chain, in one order; False if some are not known."""
    sides = list(_sides(chain[0], names))
    if any(one.args.get(key) for one in chain for key in ("on", "side", "kind")):
        return False
    if not all(has and is_named(side) for _, _, side, has in sides):
        return False
    every = list(dict.fromkeys(name for *_, has in sides for name in has))
    for one, key, side, has in sides:
        one.set(key, _reordered(side, has, every))
    for one in chain:
        one.set("by_name", None)
    return True


def _names(side: exp.Expr) -> tuple[str, ...]:
    """Return the names of a side's columns; nothing if one is not known, or two are the same."""
    from sqlglot import exp

    inner = side.unnest()
    names = tuple(inner.named_selects) if isinstance(inner, exp.Query) else ()
    lower = {name.lower() for name in names}
    return () if len(lower) < len(names) or lower & {"", "*"} else names


def is_named(side: exp.Expr) -> bool:
    """Tell whether each column of a side is written with its name, or by a star."""
    from sqlglot import exp

    inner = side.unnest()
    while isinstance(inner, exp.SetOperation):  # its columns are called as on its left
        inner = inner.this.unnest()
    return isinstance(inner, exp.Select) and all(
        isinstance(one, exp.Alias | exp.Column | exp.Star) for one in inner.expressions
    )


def _reordered(side: exp.Expr, has: tuple[str, ...], every: list[str]) -> exp.Select:
    from sqlglot import exp

    inner = side.copy() if isinstance(side, exp.Subquery) else exp.Subquery(this=side.copy())
    inner.set("alias", exp.TableAlias(this=exp.to_identifier("mesh_side", quoted=True)))
    there = {name.lower() for name in has}
    return exp.Select(
        expressions=[
            exp.column(exp.to_identifier(name, quoted=True), "mesh_side")
            if name.lower() in there
            else exp.alias_(exp.Null(), name, quoted=True)
            for name in every
        ]
    ).from_(inner, copy=False)


def _sides(
    one: exp.SetOperation, names: dict[int, tuple[tuple[str, ...], tuple[str, ...]]]
) -> Iterator[tuple[exp.SetOperation, str, exp.Expr, tuple[str, ...]]]:
    """Return the sides of a chain from left to right: where each stands, and its columns."""
    pending = [(one, key) for key in ("expression", "this")]
    while pending:
        at, key = pending.pop()
        side = at.args[key]
        inner = side.unnest()
        if _is_by_name(inner):
            pending += [(inner, key) for key in ("expression", "this")]
        else:
            yield at, key, side, names[id(at)][0 if key == "this" else 1]


def _inherit(window: exp.Window, named: dict[str, exp.Window]) -> bool:
    """Give a window what the one that it calls says; False where that is not there."""
    alias = window.args.get("alias")
    if alias is None:
        return True
    base = named.get(alias.name.lower())
    if base is None:
        return False
    for key in ("partition_by", "order", "spec"):
        if not window.args.get(key) and (said := base.args.get(key)):
            copied = [one.copy() for one in said] if isinstance(said, list) else said.copy()
            window.set(key, copied)
    window.set("alias", None)
    return True
