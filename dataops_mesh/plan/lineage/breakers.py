"""What makes of a classified value something that is no longer that value.

A hash (SHA-256), an aggregate over a group (`count`, `sum`, `avg`, `stddev`, `variance`) and a
bucket (weeks and longer, rounding to tens and more, `floor(x / n)`, a CASE that only says texts
and numbers written in the query, `is null` of a column). Not `md5` and `hash`, which are made to be
fast and are searched in minutes; not `min`, `max`, `first`, `any_value`, `list`, `string_agg`,
`median`, which return cells; not an aggregate over a window, which stands beside each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from dataops_mesh.plan.lineage.held import held_by
from dataops_mesh.plan.lineage.holding import UNKNOWN, Held, Origin, Stands
from dataops_mesh.plan.lineage.sqllineage import qualified_query
from dataops_mesh.plan.lineage.sqlwords import loses_an_argument

if TYPE_CHECKING:
    from sqlglot import exp

_COARSE = frozenset({"WEEK", "MONTH", "QUARTER", "YEAR", "DECADE", "CENTURY", "MILLENNIUM"})
_SHA2 = frozenset({"256", "384", "512"})
_MOST_WORDS = 20  # that a CASE may say: with one for each value it says the values
_TENS = 10
_KEPT_BY_NAME = frozenset({"hash", "to_base", "bin"})


def clear_columns(
    text: str,
    schemas: Mapping[str, Sequence[str]],
    is_secret: Callable[[Origin], bool] = lambda _: True,
) -> Mapping[str, frozenset[Origin]] | None:
    """Return, for each output column, the columns whose values are still in it.

    None if the query is beyond us; a column is absent if what it is made of is. Of rows that the
    query itself makes nobody can tell: `join range(100) r on r.range = p.pin` has the pins in it.

    Args:
        text: the query.
        schemas: the columns of each input.
        is_secret: tells of a column whether anybody minds that it is seen.

    >>> found = clear_columns("select sha256(a) as x, max(b) as y from d.p", {"d.p": ["a", "b"]})
    >>> sorted(found["x"]), sorted(found["y"])
    ([], [('d.p', 'b')])
    """
    held = held_columns(text, schemas, is_secret)
    if held is None:
        return None
    return {name: one.clear for name, one in held.items() if UNKNOWN not in one.clear}


def held_columns(
    text: str, schemas: Mapping[str, Sequence[str]], is_secret: Callable[[Origin], bool]
) -> Mapping[str, Held] | None:
    """Return what each output column holds; None if the query is beyond us.

    Args:
        text: the query.
        schemas: the columns of each input.
        is_secret: tells of a column whether anybody minds that it is seen.
    """
    try:
        found = qualified_query(text, schemas)
        if found is None or _is_hidden(found[0]) or loses_an_argument(text):
            return None
        return held_by(*found, Breaking(), is_secret)
    except Exception:  # noqa: BLE001 - sqlglot raises many kinds; who asks is told that it is unknown
        return None


def _is_hidden(query: exp.Query) -> bool:
    """Tell whether columns are called otherwise than by their names, or nobody knows by which."""
    from sqlglot import exp

    if query.is_star or query.find(exp.PositionalColumn, exp.TableColumn, exp.Columns) is not None:
        return True
    return any(
        one.args.get("columns")
        for one in query.find_all(exp.TableAlias)
        if isinstance(one.parent, exp.Table)
    )


class Breaking:
    """Which functions leave nothing of a value that could be told."""

    def bucket(self, node: exp.Expr) -> tuple[Stands, Iterable[exp.Column]] | None:
        """Return the columns that must stand, and how, so that nothing of them is left."""
        from sqlglot import exp

        if isinstance(node, exp.Is):
            null = isinstance(node.expression, exp.Null)
            column = node.this.unnest()
            return (Stands.AS_IS, (column,)) if null and isinstance(column, exp.Column) else None
        if not _is_bucket(node):
            return None
        # Whether it could be cast says what a value looks like.
        least = Stands.AS_IS if node.find(exp.Is) else Stands.TRIED
        return least, node.find_all(exp.Column)

    def counts(self, node: exp.Expr) -> bool:
        """Tell whether it is a number of a group: which rows are counted is as little a value."""
        from sqlglot import exp

        if isinstance(node, exp.Filter) and not _is_windowed(node.this):
            node = node.this
        return _aggregates(node)

    def hashes(self, node: exp.Expr) -> bool:
        """Tell whether it is a hash that nobody searches in minutes."""
        from sqlglot import exp

        length = node.args.get("length")
        return isinstance(node, exp.SHA2) and (length is None or length.name in _SHA2)

    def compares(self, node: exp.Expr) -> bool:
        """Tell whether it may say if a hash is the one that was guessed: all but what shapes it."""
        from sqlglot import exp

        if isinstance(node, exp.Anonymous):
            return node.name.lower() not in _KEPT_BY_NAME
        if isinstance(node, exp.Bracket):  # a part of it, and not what a map says of it
            return any(one.find(exp.Column) for one in node.expressions)
        return not isinstance(node, _shaping())

    def casts(self, node: exp.Expr) -> Stands | None:
        """Return how its argument still stands, if it is a cast that keeps it."""
        from sqlglot import exp

        if isinstance(node, exp.Paren):
            return Stands.AS_IS
        if isinstance(node, exp.Cast) and _is_kept(node):
            return Stands.TRIED if isinstance(node, exp.TryCast) else Stands.AS_IS
        return None


@cache
def _shaping() -> tuple[type[exp.Expr], ...]:
    """Return what makes of a hash another text, a number or a cell of a group, whatever it is."""
    from sqlglot import exp

    return (
        *(exp.Alias, exp.Paren, exp.Cast, exp.Dot, exp.Slice, exp.Array, exp.Struct),
        *(exp.PropertyEQ, exp.DPipe, exp.Concat, exp.ConcatWs, exp.Coalesce, exp.Mod),
        *(exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Pad),
        *(exp.Reverse, exp.Hex, exp.Unhex, exp.ToBase64, exp.Encode, exp.Decode, exp.Format),
        *(exp.MD5, exp.SHA, exp.Abs, exp.Explode, exp.Unnest, exp.StructExtract),
        *(exp.AggFunc, exp.Window, exp.WindowSpec, exp.Order, exp.Ordered, exp.Distinct),
        *(exp.Filter, exp.Tuple),
    )


def _aggregates(node: exp.Expr) -> bool:
    """Tell whether it is a number of a group that is no cell."""
    from sqlglot import exp

    match node:
        case exp.Count() | exp.CountIf():
            return not _is_windowed(node)
        case exp.Sum() | exp.Avg() | exp.Stddev() | exp.StddevSamp() | exp.StddevPop():
            return not _is_windowed(node)
        case exp.Variance() | exp.VariancePop():
            return not _is_windowed(node)
    return False


def _is_bucket(node: exp.Expr) -> bool:
    from sqlglot import exp

    match node:
        case exp.TimestampTrunc() | exp.DateTrunc():
            return str(node.args["unit"].name).upper() in _COARSE and _is_column(node.this)
        case exp.Year() | exp.WidthBucket():
            return _is_column(node.this)
        case exp.Extract():
            return str(node.name).upper() == "YEAR" and _is_column(node.expression)
        case exp.Round():
            to = node.args.get("decimals")
            tens = to.this.name if isinstance(to, exp.Neg) and to.this.is_int else "0"
            return int(tens) > 0 and _is_column(node.this)
        case exp.Floor():
            return _is_division(node.this)
        case exp.Case():
            told = [one.args["true"] for one in node.args["ifs"]]
            said = [*told, *([node.args["default"]] if node.args.get("default") else [])]
            plain = all(isinstance(one, exp.Literal | exp.Null | exp.Boolean) for one in said)
            few = len({one.sql() for one in said}) <= _MOST_WORDS
            return (
                plain
                and few
                and all(map(_compares, [node.this, *(one.this for one in node.args["ifs"])]))
            )
    return False


def _is_kept(cast: exp.Cast) -> bool:
    """Tell whether a cast keeps a value what it is: the bits of a number are another one."""
    from sqlglot import exp

    kinds = exp.DataType.Type
    to = cast.to.this
    same = (exp.DataType.NUMERIC_TYPES | exp.DataType.TEXT_TYPES) - {kinds.BIT}
    return to in same or to in {
        *(kinds.DATE, kinds.DATE32, kinds.TIMESTAMP, kinds.TIMESTAMPTZ, kinds.TIMESTAMPNTZ),
        *(kinds.DATETIME, kinds.TIMESTAMP_S, kinds.TIMESTAMP_MS, kinds.TIMESTAMP_NS),
        kinds.BOOLEAN,
    }


def _is_windowed(node: exp.Expr) -> bool:
    from sqlglot import exp

    above = node.parent
    while isinstance(above, exp.Filter | exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
        above = above.parent
    return isinstance(above, exp.Window)


def _is_division(node: exp.Expr) -> bool:
    """Tell whether it is a division by ten or more, as one rounds to tens and more."""
    from sqlglot import exp

    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.Div | exp.IntDiv) or not isinstance(node.expression, exp.Literal):
        return False
    enough = not node.expression.is_string and float(node.expression.name) >= _TENS
    return enough and _is_column(node.this)


def _compares(condition: exp.Expr | None) -> bool:
    """Tell whether a condition only compares columns as they stand: a digit is not a bucket."""
    from sqlglot import exp

    simple = (
        *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Neg),
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
        *(exp.Between, exp.In, exp.Is, exp.Cast, exp.DataType, exp.DataTypeParam),
    )
    return condition is None or all(
        isinstance(node, simple)
        and not isinstance(node, exp.TryCast)  # whether it could be cast says what it looks like
        and (not isinstance(node, exp.Cast) or _is_kept(node))
        for node in condition.walk()
    )


def _is_column(node: exp.Expr | None) -> bool:
    """Tell whether it is a column as it stands: of arithmetic on it a bucket can keep all.

    `round(x * 1000, -1)` has every digit of a small x, `year(to_days(x))` too.
    """
    from sqlglot import exp

    while isinstance(node, exp.Paren) or (isinstance(node, exp.Cast) and _is_kept(node)):
        node = node.this
    return isinstance(node, exp.Column)
