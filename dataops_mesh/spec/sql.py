"""Reads SELECT statements: that a text is one, and which relations it reads.

Imports sqlglot only when there is SQL to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.read.bombs import LARGEST, bomb
from dataops_mesh.spec.read.calls import is_unread, with_calls
from dataops_mesh.spec.read.comments import skipped_otherwise

if TYPE_CHECKING:
    from sqlglot import exp

MAX_LENGTH = 100_000
_BARE = re.compile(r"[a-z_][a-z0-9_]*")
_OBJECT = "mesh_object__"
_PLACEHOLDER = re.compile(r"\$?\{\s*([A-Za-z_]\w*)\s*\}")
# The words of ODCS, and those of tools that came before its section on SQL.
_MEANING = {
    **dict.fromkeys(("object", "table", "model"), "object"),
    **dict.fromkeys(("property", "column", "field"), "property"),
}


def parse_select(text: str, where: Location) -> exp.Query:
    """Parse exactly one read-only query in DuckDB's dialect.

    Args:
        text: the SQL.
        where: the location of its first line.

    Raises:
        DeclarationError: it is not SQL, not one statement, or does more than read.

    >>> parse_select("select 1 as one", Location("x.sql", 1)).sql()
    'SELECT 1 AS one'
    """
    from sqlglot import exp

    # A comment after the last semicolon is parsed as a statement of its own.
    statements = [one for one in _parse(text, where) if one and not isinstance(one, exp.Semicolon)]
    if len(statements) != 1:
        raise _error(f"must be one statement, not {len(statements)}", where)
    query = statements[0]
    if not isinstance(query, exp.Query):
        raise _error("is not a SELECT statement", where, "write one SELECT")
    writes = query.find(exp.DDL, exp.DML, exp.Command, exp.Into, exp.Drop, exp.Describe)
    if writes is not None:
        raise _error(f"may only read, and contains {writes.key.upper()}", where)
    if query.find(exp.Placeholder, exp.Parameter) is not None:
        raise _error("has a parameter ($1, ?), and nothing would give it a value", where)
    query = with_calls(query)
    if is_unread(query):
        raise _error("has a dot that cannot be read", where, "write f(x) instead of x.f()")
    return query


def _parse(text: str, where: Location) -> Sequence[exp.Expr | None]:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import ParseError, SqlglotError

    if len(text) > MAX_LENGTH:
        raise _error(f"the SQL is longer than {MAX_LENGTH} characters", where)
    dialect = Dialect.get_or_raise("duckdb")
    try:
        tokens = dialect.tokenize(text)
        if not tokens:
            raise _error("the SQL is empty", where)
        # Checked before parsing: sqlglot takes unknown statements for opaque commands.
        if tokens[0].text.upper() not in {"SELECT", "WITH", "FROM", "("}:
            raise _error("is not a SELECT statement", where, "write one SELECT")
        if left := skipped_otherwise(text, tokens):
            what = f"has a comment that DuckDB does not know: {left}"
            raise _error(what, where, "write it as /* ... */ or behind --")
        return dialect.parser().parse(tokens, text)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        line = Location(where.file, where.line + int(first.get("line") or 1) - 1)
        what = str(first.get("description") or "cannot be parsed").rstrip(".")
        raise _error(f"is not valid SQL: {what}", line) from None
    except SqlglotError:
        raise _error("is not valid SQL: a quote or comment is not closed", where) from None
    except RecursionError:
        raise _error("the SQL is nested too deeply", where) from None
    except (AttributeError, TypeError, ValueError, LookupError):
        # Of words that make no sense sqlglot builds parts that are not there, and asks them.
        raise _error("is not valid SQL: cannot be parsed", where) from None


def tables_read(query: exp.Query) -> frozenset[str]:
    """Return the relations a query reads: `domain.port` or a bare name, in lower case.

    Names of common table expressions are left out where they are in scope. A name that is
    not a plain identifier (DuckDB would open `'x.csv'` as a file) is returned in quotes, a
    table function as `name()`: neither can equal an input port's name.

    >>> where = Location("x.sql", 1)
    >>> sql = "with a as (select * from fleet.aircraft) select * from a join 'x.csv' using (k)"
    >>> sorted(tables_read(parse_select(sql, where)))
    ['"x.csv"', 'fleet.aircraft']
    """
    from sqlglot import exp

    # range() and generate_series() stand where a relation stands, and read none.
    return frozenset(
        _spelled(table)
        for table in query.find_all(exp.Table)
        if not isinstance(table.this, exp.GenerateSeries) and not is_local(table)
    )


def rule_query(
    text: str, where: Location, *, has_column: bool, own: frozenset[str] = frozenset()
) -> str:
    """Return a rule's query with its placeholders spelled `{object}` and `{property}`.

    Args:
        text: the query as it stands in the contract.
        where: the location of its first line.
        has_column: the rule stands under a column.
        own: names of the rule's own relation, which mean `{object}`.

    Raises:
        DeclarationError: it is not one SELECT that reads `{object}` and nothing else.

    >>> rule_query("select count(*) from ${table}", Location("c.yaml", 3), has_column=False)
    'select count(*) from {object}'
    """
    choices = ("{object}", "{property}") if has_column else ("{object}",)
    for found in _PLACEHOLDER.finditer(text):
        if "{" + _MEANING.get(found[1], "") + "}" not in choices:
            what = f"unknown placeholder {found[0]}"
            raise DeclarationError(Problem(what, where, choices=choices))
    spelled = _PLACEHOLDER.sub(lambda found: "{" + _MEANING[found[1]] + "}", text)
    spelled = _without_end(spelled, where)
    plain = spelled.replace("{object}", _OBJECT).replace("{property}", "mesh_property__")
    query = parse_select(plain, where)
    if renamed := _own_named(plain, query, own):
        plain, query = renamed, parse_select(renamed, where)
        spelled = plain.replace(_OBJECT, "{object}").replace("mesh_property__", "{property}")
    _refuse_lists(query, where)
    if found_bomb := bomb(query):
        what = f"{found_bomb}() needs its size as a number, at most {LARGEST:,}"
        raise _error(what, where, "a value may not take all memory; make it in the transform")
    read = tables_read(query)
    others = sorted(read - {_OBJECT})
    if others:
        what = f"may read only {{object}}, and reads {', '.join(others)}"
        raise _error(what, where, "join the data in the transform, or make it a rule there")
    if _OBJECT not in read:
        raise _error("does not read {object}, so it would say nothing of the data", where)
    return spelled


def spelled_name(text: str) -> str:
    """Return the name of a relation as `tables_read` spells it.

    >>> spelled_name("Sales.Orders"), spelled_name("daily orders")
    ('sales.orders', '"daily orders"')
    """
    return ".".join(_quoted(part.strip('"`[]')) for part in text.split("."))


def _own_named(plain: str, query: exp.Query, own: frozenset[str]) -> str:
    """Return the query with its relation's own name made the placeholder; or nothing.

    The name stays as an alias, because columns may be named after it.
    """
    from sqlglot import exp

    found = [t for t in query.find_all(exp.Table) if _spelled(t) in own and not is_local(t)]
    places = sorted((t.parts[0].meta["start"], t.parts[-1].meta["end"] + 1, t) for t in found)
    text = plain
    for start, end, table in reversed(places):
        called = table.name if _BARE.fullmatch(table.name.lower()) else f'"{table.name}"'
        alias = "" if table.alias else f" AS {called}"
        text = f"{text[:start]}{_OBJECT}{alias}{text[end:]}"
    return text if found else ""


def _refuse_lists(query: exp.Query, where: Location) -> None:
    """Report `[v]` or `(v, k)` where a value is meant: a list or a struct, and so never null."""
    from sqlglot import exp

    compared = (exp.Is, exp.Coalesce, exp.Count, exp.Nullif)
    null_safe = (exp.NullSafeEQ, exp.NullSafeNEQ)
    for one in query.find_all(exp.Array, exp.Struct, exp.Tuple, exp.Anonymous):
        rows = isinstance(one, exp.Tuple) or one.name.lower() == "row"
        if isinstance(one, exp.Anonymous) and not rows:
            continue
        above = one.parent
        while isinstance(above, exp.Paren):
            above = above.parent
        # `count(distinct [a, b])` counts combinations, as people write it; two rows are compared.
        beside = (above.this, above.expression) if isinstance(above, null_safe) else ()
        to_null = bool(beside) and (not rows or any(isinstance(side, exp.Null) for side in beside))
        if to_null or isinstance(above, compared):
            what = f"{one.sql('duckdb')} is a list or a struct to DuckDB, which is never null"
            then = "write a column without brackets, or in double quotes"
            raise _error(what, where, "say it of each column: `a is null`" if rows else then)


def _without_end(text: str, where: Location) -> str:
    """Return the text without its last semicolon and what stands behind; it becomes a subquery."""
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        tokens = Dialect.get_or_raise("duckdb").tokenize(text)
    except SqlglotError:
        raise _error("is not valid SQL: a quote or comment is not closed", where) from None
    while tokens and tokens[-1].token_type.name == "SEMICOLON":
        text = text[: tokens.pop().start]
    return text.strip()


def _error(what: str, where: Location, then: str = "") -> DeclarationError:
    return DeclarationError(Problem(what, where, next=then))


def _spelled(table: exp.Table) -> str:
    from sqlglot import exp

    parts = []
    for part in table.parts:
        if not isinstance(part, exp.Identifier):
            name = part.name if isinstance(part, exp.Anonymous) else part.key
            if isinstance(part, exp.Func) and not isinstance(part, exp.Anonymous):
                name = part.sql_name()
            return f"{name.lower()}()"
        parts.append(_quoted(part.name))
    return ".".join(parts)


def _quoted(name: str) -> str:
    """Return a name in lower case, in quotes where it is no plain identifier."""
    return name.lower() if _BARE.fullmatch(name.lower()) else f'"{name.lower()}"'


def is_local(table: exp.Table) -> bool:
    """Tell whether a name means a common table expression that is in scope here.

    One that is not recursive cannot see itself or those after it: there the same name means
    the relation outside.
    """
    from sqlglot import exp

    if len(table.parts) != 1:
        return False
    name = table.name.lower()
    child: exp.Expr | None = table
    through: exp.CTE | None = None
    while child is not None and child.parent is not None:
        parent = child.parent
        if isinstance(child, exp.CTE):
            through = child
        if isinstance(parent, exp.Query) and name in _visible(parent, child, through):
            return True
        child = parent
    return False


def _visible(query: exp.Query, child: exp.Expr, through: exp.CTE | None) -> set[str]:
    from sqlglot import exp

    clause = query.args.get("with_") or query.args.get("with")
    if not isinstance(clause, exp.With):
        return set()
    names = [cte.alias.lower() for cte in clause.expressions]
    if child is not clause or through is None:
        return set(names)
    own = next(i for i, cte in enumerate(clause.expressions) if cte is through)
    return set(names[: own + 1] if clause.args.get("recursive") else names[:own])
