"""Which checks measure a number that may be a value of a classified column.

`select max(digits)` has an answer that *is* a cell. The answer of such a rule is compared with
the threshold and never shown or stored. Rows that are counted are no cell, and may be told.
Whatever cannot be read for certain counts as classified.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from dataops_mesh.errors import Location, MeshError
from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.measures import GreatExpectation, Query
from dataops_mesh.spec.model import Column, Product
from dataops_mesh.spec.sql import parse_select

if TYPE_CHECKING:
    from sqlglot import exp

# Classes whose values may be shown to whoever may open the UI. No class at all counts as
# classified, so nothing is shown of an undeclared source.
SHOWABLE = frozenset({"public", "internal"})
_OBJECT = "mesh_object__"
_CLAUSES = frozenset({"expressions", "from_", "from", "where", "group", "having", "distinct",
                      "with_", "with", "kind"})  # fmt: skip


def safe_columns(columns: Iterable[Column]) -> tuple[str, ...]:
    """Return the columns whose values may be shown: classified as harmless, and not masked."""
    return tuple(
        one.name
        for one in columns
        if (one.classification or "").lower() in SHOWABLE and one.mask is None
    )


def with_secrets(product: Product, check: Check) -> Check:
    """Mark a check whose number is compared and never shown."""
    text = _sql(check)
    if text is None:
        return check
    columns: Sequence[Column] = ()
    if check.stage is Stage.OUTPUT:
        found = (p for p in product.outputs if str(p.address) == check.relation)
        columns = next((port.contract.columns for port in found), ())
    safe = safe_columns(columns)
    if columns and len(safe) == len(columns):
        return check
    rows = isinstance(check.measure, GreatExpectation)
    return replace(check, withheld=may_tell_a_value(text, safe, rows=rows))


def may_read(check: Check, safe: Sequence[str]) -> bool:
    """Tell whether the query of a check may read another column of its relation than these."""
    text = _sql(check)
    if text is None:
        return False
    try:
        query = parse_select(text, check.where)
        return not _reads_only(query, frozenset(name.lower() for name in safe))
    except (MeshError, RecursionError):
        return True


def is_about(check: Check, safe: Sequence[str]) -> bool:
    """Tell whether what a check says of a row is said of other columns than these."""
    if _sql(check) is not None:
        return may_read(check, safe)
    measure = check.measure
    named = (*getattr(measure, "columns", ()), *filter(None, [getattr(measure, "column", None)]))
    return not named or not set(named) <= set(safe)


def _sql(check: Check) -> str | None:
    """Return the query whose answer, or whose rows, the check tells of."""
    measure = check.measure
    if isinstance(measure, Query):
        column = '"' + (measure.column or "").replace('"', '""') + '"'
        text = measure.sql.replace("{object}", _OBJECT)
        return text.replace("{property}", column).replace("{column}", column)
    if isinstance(measure, GreatExpectation):
        query = json.loads(measure.kwargs).get("unexpected_rows_query")
        return None if query is None else str(query).replace("{batch}", _OBJECT)
    return None


@lru_cache(maxsize=4096)
def may_tell_a_value(text: str, safe: tuple[str, ...], *, rows: bool = False) -> bool:
    """Tell whether the answer of a query may be a value of a column that is not safe.

    Args:
        text: a SELECT on the relation `mesh_object__`.
        safe: the columns whose values may be shown.
        rows: what is told is how many rows it returns.

    >>> may_tell_a_value("select max(digits) from mesh_object__", ("id",))
    True
    >>> may_tell_a_value("select max(id) from mesh_object__", ("id",))
    False
    >>> may_tell_a_value("select count(*) from mesh_object__ where digits > 5", ("id",))
    False
    """
    try:
        query = parse_select(text, Location("rule", 1))
        if _reads_only(query, frozenset(name.lower() for name in safe)):
            return False
        return not (_is_plain(query, set()) if rows else _is_count(query))
    except (MeshError, RecursionError):
        return True


def _reads_only(query: exp.Query, safe: frozenset[str]) -> bool:
    """Tell whether every name in the query is a safe column, or is made from such here."""
    from sqlglot import exp

    unknown = (exp.Columns, exp.Pivot, exp.Summarize, exp.PositionalColumn)
    if query.find(*unknown) is not None:
        return False
    if any(join.args.get("method") for join in query.find_all(exp.Join)):
        return False  # NATURAL, POSITIONAL: the columns are not named
    if any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star)):
        return False
    relations = {_OBJECT}
    for alias in query.find_all(exp.TableAlias):
        relations.add(alias.name.lower())
        if alias.args.get("columns"):
            return False  # columns under other names
    made = {one.alias.lower() for one in query.find_all(exp.Alias)} - relations
    for column in query.find_all(exp.Column):
        known = safe if _sees_relation(column) else safe | made
        *before, last = (part.name.lower() for part in column.parts)
        if last not in known or not set(before) <= relations | known:
            return False
    shared = (name for join in query.find_all(exp.Join) for name in join.args.get("using") or ())
    return all(name.name.lower() in safe for name in shared)


def _sees_relation(column: exp.Expr) -> bool:
    """Tell whether a name may mean a column of the relation itself, and no alias given here."""
    from sqlglot import exp

    around = column.find_ancestor(exp.Select)
    while around is not None:
        sources = [around.args.get("from_") or around.args.get("from")]
        sources += around.args.get("joins") or []
        sources += around.args.get("laterals") or []
        if any(isinstance(s.this, exp.Table) and s.this.name.lower() == _OBJECT
               for s in sources if s is not None):  # fmt: skip
            return True
        around = around.find_ancestor(exp.Select)
    return False


def _is_count(query: exp.Query) -> bool:
    """Tell whether the answer is how many rows there are, or arithmetic on such counts."""
    if not _is_plain(query, set()) or len(query.selects) != 1:
        return False
    return _counts(query.selects[0])


def _counts(found: exp.Expr) -> bool:
    from sqlglot import exp

    if isinstance(found, exp.Literal):
        return not found.is_string
    if isinstance(found, exp.Count | exp.CountIf):
        return True
    if isinstance(found, exp.Filter):
        return isinstance(found.this, exp.Count | exp.CountIf)
    if isinstance(found, exp.Cast):
        return _counts(found.this)
    arithmetic = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Neg, exp.Paren, exp.Alias,
                  exp.Round, exp.Coalesce, exp.Nullif)  # fmt: skip
    if not isinstance(found, arithmetic):
        return False
    inner = [one for one in found.iter_expressions() if not isinstance(one, exp.Identifier)]
    return bool(inner) and all(map(_counts, inner))


def _is_plain(query: exp.Expr, named: set[str]) -> bool:
    """Tell whether the query has at most a row for each row of the relation, whatever is in it.

    Joins, windows, subqueries in conditions and functions that make rows could turn a value into
    a number of rows.
    """
    from sqlglot import exp

    if not isinstance(query, exp.Select):
        return False
    if {name for name, given in query.args.items() if given} - _CLAUSES:
        return False
    clause = query.args.get("with_") or query.args.get("with")
    named = set(named)
    recursive = clause is not None and clause.args.get("recursive")
    for one in clause.expressions if clause else ():
        if recursive or not _is_plain(one.this, named):
            return False
        named.add(one.alias.lower())
    start = query.args.get("from_") or query.args.get("from")
    if start is None or not _is_plain_source(start.this, named):
        return False
    own = [query.args.get(key) for key in ("where", "group", "having", "distinct")]
    beyond = (exp.Query, exp.Window, exp.UDTF, exp.Explode, exp.Columns, exp.PositionalColumn)
    makes_rows = (exp.Anonymous, *beyond)
    told = [*query.expressions, own[1]]
    return not any(one.find(*beyond) for one in own if one) and not any(
        one.find(*makes_rows) for one in told if one
    )


def _is_plain_source(source: exp.Expr, named: set[str]) -> bool:
    from sqlglot import exp

    if {name for name, given in source.args.items() if given} - {"this", "alias"}:
        return False
    if isinstance(source, exp.Table):
        own = isinstance(source.this, exp.Identifier) and len(source.parts) == 1
        return own and source.name.lower() in {_OBJECT, *named}
    return isinstance(source, exp.Subquery) and _is_plain(source.this, named)
