"""Forms that sqlglot reads otherwise than DuckDB: whoever follows columns knows nothing of these.

A bare name before `->` in any call, a lambda's argument that is called as a table is, a column
that is called as a function without brackets, a star beside `using` that is read by position, and
a relation of unknown columns that is called as a struct.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dataops_mesh.spec.sql import is_local

if TYPE_CHECKING:
    from sqlglot import exp

# Functions of DuckDB that take a lambda; anywhere else `->` reads a part of a JSON.
_LAMBDAS = frozenset(
    f"{before}{name}"
    for before in ("", "list_", "array_")
    for name in ("transform", "apply", "filter", "reduce")
)
_MORE_WORDS = frozenset(
    {"current_catalog", "current_date", "current_role", "current_schema", "current_time"}
    | {"current_timestamp", "current_user", "localtime", "localtimestamp", "session_user"}
)


def is_misread(query: exp.Query, schemas: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether columns may be others than sqlglot takes them for.

    Args:
        query: as it was parsed.
        schemas: the columns of the relations that promise some, by their names in lower case.
    """
    promised = {column.lower() for columns in schemas.values() for column in columns}
    return (
        _has_strange_lambda(query, promised)
        or _has_word(query, promised)
        or _has_moved_star(query)
        or _has_struct_as_table(query, schemas, promised)
    )


def _has_strange_lambda(query: exp.Query, promised: set[str]) -> bool:
    from sqlglot import exp

    every = list(query.find_all(exp.Lambda))
    if not every:
        return False
    visible = promised | _names(query) | _inner_aliases(query)
    for one in every:
        above = one.parent
        name = above.name if isinstance(above, exp.Anonymous) else ""
        if isinstance(above, exp.Func) and not name:
            name = above.sql_name()
        own = {said.name.lower() for said in one.expressions}
        if name.lower() not in _LAMBDAS or not own or own & visible:
            return True
    return False


def _names(query: exp.Query) -> set[str]:
    """Return how relations, their schemas and the columns that are read are called."""
    from sqlglot import exp

    found = {one.name.lower() for one in query.find_all(exp.Column)}
    for table in query.find_all(exp.Table):
        found |= {part.name.lower() for part in table.parts}
    for alias in query.find_all(exp.TableAlias):
        found |= {alias.name.lower(), *(one.name.lower() for one in alias.columns)}
    return found


def _inner_aliases(query: exp.Query) -> set[str]:
    """Return how columns of queries inside are called; those of the whole nothing else reads."""
    from sqlglot import exp

    outer = query.unnest()
    return {
        one.alias.lower() for one in query.find_all(exp.Alias)
        if one.find_ancestor(exp.Query) is not outer
    }  # fmt: skip


def _has_word(query: exp.Query, promised: set[str]) -> bool:
    """Tell whether something is called as a function that is called without brackets."""
    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect

    functions = Dialect.get_or_raise("duckdb").parser_class.NO_PAREN_FUNCTIONS
    words = _MORE_WORDS | {one.name.lower() for one in functions}
    said = {one.name.lower() for one in query.find_all(exp.Identifier)}
    keys = {one.this.name.lower() for one in query.find_all(exp.PropertyEQ)}  # of a struct
    return bool(words & (said | keys | promised))


def _has_moved_star(query: exp.Query) -> bool:
    """Tell whether a star beside `using` may stand for other columns, or in another order."""
    from sqlglot import exp

    for select in query.find_all(exp.Select):
        stars = [star for one in select.expressions if (star := _star(one))]
        joins = [one for one in select.find_all(exp.Join) if one.parent_select is select]
        merged = {name.name.lower() for one in joins for name in one.args.get("using") or ()}
        if not stars or not merged:
            continue
        again = {
            one.alias_or_name.lower() for star in stars
            for key in ("replace", "rename") for one in star.args.get(key) or ()
        } | {
            one.this.name.lower() for star in stars for one in star.args.get("rename") or ()
        }  # fmt: skip
        mixed = len(stars) > 1 or not all(one.args.get("using") for one in joins)
        if again & merged or mixed or _is_by_position(select):
            return True
    return False


def _star(one: exp.Expr) -> exp.Star | None:
    from sqlglot import exp

    inner = one.this if isinstance(one, exp.Column) else one
    return inner if isinstance(inner, exp.Star) else None


def _is_by_position(select: exp.Select) -> bool:
    """Tell whether the columns of a SELECT are read by where they stand."""
    from sqlglot import exp

    above = select.parent
    while isinstance(above, exp.Subquery | exp.SetOperation | exp.CTE | exp.Lateral):
        if isinstance(above, exp.SetOperation):
            if not above.args.get("by_name"):
                return True
        elif above.alias_column_names:
            return True
        if isinstance(above, exp.CTE):
            return any(
                table.args["alias"].columns
                for table in select.root().find_all(exp.Table)
                if table.args.get("alias")
            )
        above = above.parent
    return False


def _has_struct_as_table(
    query: exp.Query, schemas: Mapping[str, Sequence[str]], promised: set[str]
) -> bool:
    """Tell whether `a.b` may be a field, where nobody knows what columns a table `a` has."""
    from sqlglot import exp

    unknown = {table.alias_or_name.lower() for table in _unknown(query, schemas)}
    said = {
        part.name.lower() for column in query.find_all(exp.Column) for part in column.parts[:-1]
    }
    listed = {
        one.name.lower() for alias in query.find_all(exp.TableAlias) for one in alias.columns
    }  # fmt: skip
    return bool(unknown & said & (promised | _inner_aliases(query) | listed))


def _unknown(query: exp.Query, schemas: Mapping[str, Sequence[str]]) -> Iterator[exp.Table]:
    from sqlglot import exp

    for table in query.find_all(exp.Table):
        name = ".".join(part.name.lower() for part in table.parts)
        if not is_local(table) and not schemas.get(name):
            yield table
