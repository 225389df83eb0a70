"""What makes of a classified value something that is no longer that value.

A hash (SHA-256), an aggregate over a group (`count`, `sum`, `avg`, `stddev`, `variance`) and a
bucket (weeks and longer, rounding to tens and more, `floor(x / n)`, a CASE that only says texts
and numbers written in the query, `is null` of a column). Not `md5` and `hash`, which are made to be
fast and are searched in minutes; not `min`, `max`, `first`, `any_value`, `list`, `string_agg`,
`median`, which return cells; not an aggregate over a window, which stands beside each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dataops_mesh.plan.sqllineage import Origin, qualified_query

if TYPE_CHECKING:
    from sqlglot import exp

_COARSE = frozenset({"WEEK", "MONTH", "QUARTER", "YEAR", "DECADE", "CENTURY", "MILLENNIUM"})
_SHA2 = frozenset({"256", "384", "512"})


def clear_columns(
    text: str, schemas: Mapping[str, Sequence[str]]
) -> Mapping[str, frozenset[Origin]] | None:
    """Return, for each output column, the columns whose values are still in it.

    None if the query is beyond us; a column is absent if what it is made of is.

    >>> found = clear_columns("select sha256(a) as x, max(b) as y from d.p", {"d.p": ["a", "b"]})
    >>> sorted(found["x"]), sorted(found["y"])
    ([], [('d.p', 'b')])
    """
    return qualified_query(text, schemas, _prepared)


def _prepared(query: exp.Query) -> exp.Query | None:
    """Return the query without what breaks the way of a value; None where names are missing."""
    from sqlglot import exp

    hidden = (exp.PositionalColumn, exp.TableColumn, exp.Columns)
    if query.find(*hidden) is not None:
        return None
    if any(not column.table for column in query.find_all(exp.Column)):
        return None  # a whole row (`to_json(t)`), or nobody knows whose column it is
    if any(one.args.get("columns") for one in query.find_all(exp.TableAlias)
           if isinstance(one.parent, exp.Table)):  # fmt: skip
        return None  # columns under other names
    _show_what_exists(query)
    changed: exp.Expr = query.transform(lambda node: exp.Null() if _breaks(node) else node)
    return changed if isinstance(changed, exp.Query) else None


def _show_what_exists(query: exp.Query) -> None:
    """Let an EXISTS be made of the columns that decide whether something does."""
    from sqlglot import exp

    for found in list(query.find_all(exp.Exists)):
        for inner in list(found.find_all(exp.Select)):
            own = {table.alias_or_name for table in inner.find_all(exp.Table, exp.Subquery)}
            for number, column in enumerate(list(inner.find_all(exp.Column))):
                if column.table in own:
                    inner.select(exp.alias_(column.copy(), f"mesh_{number}"), copy=False)


def _breaks(node: exp.Expr) -> bool:
    from sqlglot import exp

    if isinstance(node, exp.Filter):  # which rows are counted is as little a value as their number
        node = node.this
    match node:
        case exp.SHA2():
            length = node.args.get("length")
            # A hash that is compared tells whether the value is the one that was guessed.
            compared = node.find_ancestor(exp.Predicate, exp.Case, exp.If, exp.Nullif)
            return compared is None and (length is None or length.name in _SHA2)
        case exp.Count() | exp.CountIf():
            return True
        case exp.Sum() | exp.Avg() | exp.Stddev() | exp.StddevSamp() | exp.StddevPop():
            return not _is_windowed(node)
        case exp.Variance() | exp.VariancePop():
            return not _is_windowed(node)
        case exp.TimestampTrunc() | exp.DateTrunc():
            return str(node.args["unit"].name).upper() in _COARSE and _is_column(node.this)
        case exp.Year() | exp.WidthBucket():
            return _is_column(node.this)
        case exp.Extract():
            return str(node.name).upper() == "YEAR" and _is_column(node.expression)
        case exp.Round():
            to = node.args.get("decimals")
            ten = isinstance(to, exp.Neg) and isinstance(to.this, exp.Literal)
            return ten and _is_column(node.this)
        case exp.Floor():
            return _is_division(node.this)
        case exp.Case():
            told = [one.args["true"] for one in node.args["ifs"]]
            said = [*told, *([node.args["default"]] if node.args.get("default") else [])]
            plain = all(isinstance(one, exp.Literal | exp.Null | exp.Boolean) for one in said)
            return plain and all(
                map(_compares, [node.this, *(one.this for one in node.args["ifs"])])
            )
        case exp.Is():
            return isinstance(node.expression, exp.Null) and isinstance(
                node.this.unnest(), exp.Column
            )
    return False


def _is_windowed(node: exp.Expr) -> bool:
    from sqlglot import exp

    above = node.parent
    while isinstance(above, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        above = above.parent
    return isinstance(above, exp.Window)


def _is_division(node: exp.Expr) -> bool:
    """Tell whether it is a division by a number of at least 2."""
    from sqlglot import exp

    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.Div | exp.IntDiv) or not isinstance(node.expression, exp.Literal):
        return False
    least = 2
    enough = not node.expression.is_string and float(node.expression.name) >= least
    return enough and _is_column(node.this)


def _compares(condition: exp.Expr | None) -> bool:
    """Tell whether a condition only compares columns as they stand: a digit is not a bucket."""
    from sqlglot import exp

    simple = (
        *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Neg),
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
        *(exp.Between, exp.In, exp.Is, exp.Cast, exp.DataType, exp.DataTypeParam),
    )
    return condition is None or all(isinstance(node, simple) for node in condition.walk())


def _is_column(node: exp.Expr | None) -> bool:
    """Tell whether it is a column as it stands: of arithmetic on it a bucket can keep all.

    `round(x * 1000, -1)` has every digit of a small x, `year(to_days(x))` too.
    """
    from sqlglot import exp

    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    return isinstance(node, exp.Column)
