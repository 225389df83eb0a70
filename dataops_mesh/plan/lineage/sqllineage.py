"""Which columns a query reads, and which of them each of its own columns is made of.

Both are answers of sqlglot on the query as a whole: stars expanded with the columns that the
input ports promise, what nothing outside needs cut away. Whatever cannot be resolved is
unknown, and unknown means that every column may be used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_mesh.errors import Location, MeshError
from dataops_mesh.plan.lineage.holding import Origin
from dataops_mesh.plan.lineage.sqlnamed import with_names, with_tables
from dataops_mesh.plan.lineage.sqlread import is_misread
from dataops_mesh.plan.lineage.sqlspelled import with_positions, with_windows
from dataops_mesh.spec.sql import parse_select

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

Used = Mapping[str, frozenset[str] | None]
_OURS = "mesh_own"  # begins what only we call so in a query


@dataclass(frozen=True, slots=True)
class QueryLineage:
    """What is known of a query.

    Args:
        used: for each relation that is read, the columns that decide the result; None if any.
        columns: for each output column, what its values are made of; absent if unknown.
    """

    used: Used
    columns: Mapping[str, frozenset[Origin]]


def query_lineage(text: str, schemas: Mapping[str, Sequence[str]]) -> QueryLineage | None:
    """Return what is known of a query, or None if it is beyond us.

    Args:
        text: one SELECT.
        schemas: the columns of the relations that promise some, by their names in the query.

    >>> found = query_lineage("select a + b as c from d.p where e > 1", {"d.p": ["a", "b", "e"]})
    >>> sorted(found.used["d.p"]), sorted(found.columns["c"])
    (['a', 'b', 'e'], [('d.p', 'a'), ('d.p', 'b')])
    """
    try:
        return _lineage(text, {name.lower(): tuple(found) for name, found in schemas.items()})
    except MeshError:
        return None
    except Exception:  # noqa: BLE001 - sqlglot raises many kinds; not knowing lineage harms nobody
        return None


def qualified_query(
    text: str, schemas: Mapping[str, Sequence[str]]
) -> tuple[exp.Query, dict[str, str], dict[str, dict[str, str]]] | None:
    """Return the query with every name resolved, what names mean, and how columns are spelled.

    Args:
        text: one SELECT.
        schemas: the columns of the relations that promise some.

    Raises:
        Exception: sqlglot raises many kinds for what it cannot read.
    """
    return _qualified(text, {name.lower(): tuple(found) for name, found in schemas.items()})


def _lineage(text: str, schemas: dict[str, tuple[str, ...]]) -> QueryLineage | None:
    found = _qualified(text, schemas)
    return None if found is None else QueryLineage(_used(*found), _made_of(*found))


def _qualified(
    text: str, schemas: dict[str, tuple[str, ...]]
) -> tuple[exp.Query, dict[str, str], dict[str, dict[str, str]]] | None:
    """Return the query with every name resolved, what names mean, and how columns are spelled."""
    from sqlglot.optimizer.qualify import qualify

    parsed = parse_select(text, Location("query", 1))
    if _is_beyond(parsed) or is_misread(parsed, schemas) or with_windows(parsed) is None:
        return None
    own = _unused(parsed)
    if not with_tables(parsed) or not with_names(parsed, own):
        return None
    names = _flatten(parsed, own)
    shape = {flat: dict.fromkeys(schemas.get(name, ()), "unknown") for flat, name in names.items()}

    def resolved(query: exp.Query) -> exp.Query:
        return qualify(
            query,
            schema={flat: columns for flat, columns in shape.items() if columns},
            dialect="duckdb",
            validate_qualify_columns=False,
        )

    query = with_positions(parsed, resolved)
    if query is None:
        return None
    qualified = resolved(query)
    spelled = {
        name: {column.lower(): column for column in schemas.get(name, ())}
        for name in names.values()
    }
    return qualified, names, spelled


def _is_beyond(query: exp.Query) -> bool:
    """Tell whether the query names columns in ways that are not names."""
    from sqlglot import exp

    natural = any(join.args.get("method") == "NATURAL" for join in query.find_all(exp.Join))
    return natural or query.find(exp.Columns, exp.Pivot) is not None


def _unused(query: exp.Query) -> str:
    """Return how no name in a query begins."""
    from sqlglot import exp

    said = {one.name.lower() for one in query.find_all(exp.Identifier)}
    own = _OURS
    while any(name.startswith(own) for name in said):
        own += "_"
    return own


def _flatten(query: exp.Query, own: str) -> dict[str, str]:
    """Give each relation outside the query one plain name; return what the names stand for."""
    from sqlglot import exp

    names: dict[str, str] = {}
    flat: dict[str, str] = {}
    for table in list(query.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier):
            continue
        name = ".".join(part.name.lower() for part in table.parts)
        if not table.db:
            names.setdefault(name, name)  # or a common table expression, which hides it
            continue
        called = flat.setdefault(name, f"{own}_{len(flat)}")
        names[called] = name
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
        table.set("this", exp.to_identifier(called))
        table.set("db", None)
        table.set("catalog", None)
    return names


def _used(
    query: exp.Query, names: Mapping[str, str], spelled: Mapping[str, Mapping[str, str]]
) -> Used:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.pushdown_projections import pushdown_projections
    from sqlglot.optimizer.scope import traverse_scope

    pruned = query.copy()
    try:
        pushdown_projections(pruned)
    except SqlglotError:  # a star of an unknown relation: then nothing is cut away
        pruned = query
    used: dict[str, set[str] | None] = {}
    for scope in traverse_scope(pruned):
        tables = _tables(scope, names)
        for name in tables.values():
            used.setdefault(name, set())
        if any(not column.table for column in scope.columns):
            return dict.fromkeys(names.values())  # who knows whose column it is
        starred = isinstance(scope.expression, exp.Select) and scope.expression.is_star
        for name in tables.values() if starred else ():
            used[name] = None
        for column in scope.columns:
            name = tables.get(column.table, "")
            found = used.get(name)
            if name and isinstance(column.this, exp.Star):
                used[name] = None
            elif found is not None:
                found.add(spelled[name].get(column.name.lower(), column.name))
    return {name: None if found is None else frozenset(found) for name, found in used.items()}


def _tables(scope: Scope, names: Mapping[str, str]) -> dict[str, str]:
    """Return the relations outside the query that a scope reads, by their aliases in it."""
    from sqlglot import exp

    return {
        alias: names[source.name]
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table) and source.name in names
    }


def _made_of(
    query: exp.Query,
    names: Mapping[str, str],
    spelled: Mapping[str, Mapping[str, str]],
) -> dict[str, frozenset[Origin]]:
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.scope import build_scope

    scope = build_scope(query)
    found: dict[str, frozenset[Origin]] = {}
    if scope is None or query.is_star:
        return found
    for column in query.named_selects:
        origins: set[Origin] = set()
        known = True
        for node in lineage(column, query, {}, scope=scope, dialect="duckdb").walk():
            if node.downstream:
                continue
            table = node.expression if isinstance(node.expression, exp.Table) else node.source
            if isinstance(table, exp.Table) and table.name in names:
                origin, name = names[table.name], node.name.rpartition(".")[2].strip('"')
                known = known and name != "*"
                origins.add((origin, spelled[origin].get(name.lower(), name)))
            elif isinstance(node.expression, exp.Placeholder):
                known = False
        if known:
            found[column] = frozenset(origins)
    return found
