"""Whether SQL of a contract for another system runs here: what does not is not executed.

A parser takes a function that nobody has for one. So the query is bound by DuckDB to an empty
relation of the declared columns; nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from dataops_mesh.spec.rule import Rule
from dataops_mesh.spec.terms import Column
from dataops_mesh.spec.types.stored import declared, stored

if TYPE_CHECKING:
    import duckdb

_OBJECT = "mesh_object__"
_CLOCK = "CREATE MACRO mesh_now() AS now()"


def with_foreign(
    rules: tuple[Rule, ...], columns: tuple[Column, ...], system: str
) -> tuple[tuple[Rule, ...], tuple[Column, ...]]:
    """Return the rules of a contract and of its columns, those that cannot be bound as foreign."""
    every = (*rules, *(rule for column in columns for rule in column.rules))
    if not system or not any(rule.query for rule in every):
        return rules, columns
    session = _session(columns)
    if session is None:
        return rules, columns

    def judged(found: Iterable[Rule]) -> tuple[Rule, ...]:
        return tuple(_judged(rule, session, system) for rule in found)

    return judged(rules), tuple(replace(one, rules=judged(one.rules)) for one in columns)


def _session(columns: tuple[Column, ...]) -> duckdb.DuckDBPyConnection | None:
    """Return a session with the relation; None where a type is not declared all the way down."""
    import duckdb

    types = (f'"{one.name}" {stored(declared(one))}' for one in columns)
    session = duckdb.connect(config={"enable_external_access": "false", "threads": "1"})
    try:
        session.execute(f"CREATE TABLE {_OBJECT} ({', '.join(types)})")
        session.execute(_CLOCK)
    except duckdb.Error:
        return None
    return session


def _judged(rule: Rule, session: duckdb.DuckDBPyConnection, system: str) -> Rule:
    import duckdb

    if not rule.query or rule.foreign:
        return rule
    named = '"' + (rule.column or "") + '"'
    try:
        session.execute(
            "EXPLAIN " + rule.query.replace("{object}", _OBJECT).replace("{property}", named)
        )
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as error:
        why = str(error).splitlines()[0]
        return replace(rule, foreign=f"it is SQL for {system} ({why})")
    except duckdb.Error:
        return rule  # it can be bound; what it does with rows, a run tells
    return rule
