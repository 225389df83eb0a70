"""A function that is written behind its first argument is a call like any other.

DuckDB reads `ssn.trim()` as `trim(ssn)`, and `main.trim(ssn)` too. sqlglot leaves a dot there, and
no columns to its left: whoever asks for columns and functions would see neither.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

# Schemas in which DuckDB's own functions are: what stands in front of these is no argument.
_SCHEMAS = frozenset({("main",), ("system",), ("system", "main")})
_PARTS = ("this", "table", "db", "catalog")  # of a column's name, from its end


def with_calls(query: exp.Query) -> exp.Query:
    """Return the query with each function that stands behind a dot as a call.

    >>> from sqlglot import parse_one
    >>> query = parse_one("select c.ssn.trim().left(3) from t c", dialect="duckdb")
    >>> with_calls(query).sql("duckdb")
    'SELECT LEFT(TRIM(c.ssn), 3) FROM t AS c'
    """
    from sqlglot import exp

    # What is inside comes first: the call to the left of a call is its argument.
    for node in reversed(list(query.find_all(exp.Dot, exp.Column, bfs=False))):
        right = node.expression if isinstance(node, exp.Dot) else node.this
        call = _call_in(right)
        if call is None:
            continue
        left = _dotted(node) if isinstance(node, exp.Column) else node.this
        made = _made(call, left)
        if call is right:
            node.replace(made)
        else:
            call.replace(made)
            node.replace(right)
    return query


def is_unread(query: exp.Query) -> bool:
    """Tell whether at some dot there is still something whose columns nobody sees.

    >>> from sqlglot import parse_one
    >>> is_unread(parse_one("select ssn.trim() from t", dialect="duckdb"))
    True
    >>> is_unread(parse_one("select t.ssn, (s).a from t", dialect="duckdb"))
    False
    """
    from sqlglot import exp

    behind = (exp.Identifier, exp.Star, exp.Literal)
    return any(
        not isinstance(dot.expression, behind)
        or (isinstance(dot.this, exp.Identifier) and dot.this.name.lower() not in _of_lambdas(dot))
        for dot in query.find_all(exp.Dot)
    ) or any(not isinstance(one.this, behind) for one in query.find_all(exp.Column))


def _call_in(right: Any) -> exp.Func | None:
    """Return the function that stands behind a dot, below what may stand around it."""
    from sqlglot import exp

    around = (exp.Filter, exp.Window, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls, exp.Order)
    while isinstance(right, around):
        right = right.this
    return right if isinstance(right, exp.Func) else None


def _made(call: exp.Func, left: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    first = [] if _names(left) in _SCHEMAS else [_with_columns(left)]
    if not isinstance(call, exp.Anonymous):
        return exp.Anonymous(this=call.sql_name(), expressions=[*first, *call.iter_expressions()])
    return _call(call.name, [*first, *call.expressions])


def _call(name: str, given: list[exp.Expr]) -> exp.Expr:
    from sqlglot import exp, parse_one
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    written = exp.Anonymous(this=name, expressions=given)
    parser = Dialect.get_or_raise("duckdb").parser_class
    found: exp.Expr = written
    # What is left as written is a name that takes other arguments.
    with suppress(SqlglotError, ValueError, TypeError, IndexError):
        if name.upper() in parser.FUNCTIONS or name.upper() not in parser.FUNCTION_PARSERS:
            found = exp.func(name, *given, dialect="duckdb")
        elif written.find(exp.Query) is None:
            # Queries know where they stand in the text, and a second parsing forgets it.
            found = parse_one(written.sql("duckdb"), dialect="duckdb")
    return found


def _dotted(column: exp.Column) -> exp.Expr:
    """Return what stands before the last dot of a name, as sqlglot leaves it before a call."""
    from sqlglot import exp

    parts = [part for key in reversed(_PARTS[1:]) if (part := column.args.get(key))]
    left: exp.Expr = parts[0]
    for part in parts[1:]:
        left = exp.Dot(this=left, expression=part)
    return left


def _names(left: exp.Expr) -> tuple[str, ...]:
    """Return the names of which a name is made; none if it is something else."""
    from sqlglot import exp

    if isinstance(left, exp.Identifier):
        return (left.name.lower(),)
    if isinstance(left, exp.Dot) and isinstance(left.expression, exp.Identifier):
        before = _names(left.this)
        return (*before, left.expression.name.lower()) if before else ()
    return ()


def _with_columns(left: exp.Expr) -> exp.Expr:
    """Return what stands to the left of a dot with its names as columns again."""
    from sqlglot import exp

    own = _of_lambdas(left)

    def restored(node: exp.Expr) -> exp.Expr:
        named = isinstance(node, exp.Identifier) or (isinstance(node, exp.Dot) and _names(node))
        return _column(node) if named and not _is_name(node, own) else node

    found: exp.Expr = left.transform(restored)
    return found


def _of_lambdas(node: exp.Expr) -> frozenset[str]:
    """Return the names that the lambdas around an expression give to their arguments."""
    from sqlglot import exp

    above, found = node.find_ancestor(exp.Lambda), set[str]()
    while above is not None:
        found |= {one.name.lower() for one in above.expressions}
        above = above.find_ancestor(exp.Lambda)
    return frozenset(found)


def _column(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    parts = list[exp.Expr]()
    while isinstance(node, exp.Dot):
        parts.insert(0, node.expression)
        node = node.this
    parts.insert(0, node)
    named, fields = parts[: len(_PARTS)], parts[len(_PARTS) :]
    made: exp.Expr = exp.Column(**dict(zip(_PARTS, reversed(named), strict=False)))
    for field in fields:
        made = exp.Dot(this=made, expression=field)
    return made


def _is_name(node: exp.Expr, own: frozenset[str]) -> bool:
    """Tell whether it names something else than a column: an alias, a key, a lambda's own."""
    from sqlglot import exp

    parent, key = node.parent, node.arg_key
    named = (exp.Column, exp.Table, exp.TableAlias, exp.DataType, exp.ColumnDef, exp.Star, exp.Dot)
    keyed = (exp.PropertyEQ, exp.Kwarg, exp.Anonymous)
    return (
        (isinstance(parent, named) or key in {"alias", "using"})
        or (isinstance(parent, keyed) and key == "this")
        or (isinstance(parent, exp.Lambda) and key == "expressions")
        or node.name.lower() in own | _of_lambdas(node)
    )
