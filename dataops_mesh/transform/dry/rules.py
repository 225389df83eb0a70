"""Binds rules to the columns that are declared: one that could not run would refuse for ever."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.errors import Problem
from dataops_mesh.quality.dry import unjudged
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.measure import columns_of
from dataops_mesh.quality.query import render
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.values import base, is_number
from dataops_mesh.spec.checks.check import Check, Stage, checks_of
from dataops_mesh.spec.checks.measures import Query
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.names import new_columns
from dataops_mesh.spec.types.stored import wanted_types
from dataops_mesh.transform.dry.session import Known, Types, declare, empty_session, unbound

if TYPE_CHECKING:
    import duckdb


def rule_problems(product: Product, known: Known) -> tuple[Problem, ...]:
    """Return which rules cannot run on the columns that are declared or delivered.

    Args:
        product: whose contracts and expectations.
        known: the columns of its inputs.
    """
    checks = sorted(
        (one for one in checks_of(product) if not _about_new_columns(one)),
        key=lambda check: check.relation,
    )
    problems: list[Problem] = []
    with empty_session() as con:
        for relation, group in groupby(checks, lambda check: check.relation):
            types = _types(product, relation, known)
            if types is not None and declare(con, AUDITED, types):
                problems += _problems(con, [one for one in group if _is_ours(one, types)], types)
    return tuple(problems)


def _about_new_columns(check: Check) -> bool:
    return isinstance(check.measure, Query) and new_columns(check.relation) in check.measure.sql


def _is_ours(check: Check, types: Types) -> bool:
    """Tell whether nobody else says what is wrong: a port that has not the column is a mesh's."""
    of_port = check.stage is Stage.INPUT and "." in check.relation
    return not of_port or set(columns_of(check.measure)) <= types.keys()


def _types(product: Product, relation: str, known: Known) -> Types | None:
    for output in product.outputs:
        if str(output.address) == relation:
            return wanted_types(output.contract)
    port = next((port for port in product.inputs if port.name == relation), None)
    return known(port) if port is not None else None


def _problems(
    con: duckdb.DuckDBPyConnection, checks: list[Check], types: Types
) -> Iterator[Problem]:
    if not checks:
        return
    whose = "input port" if checks[0].stage is Stage.INPUT else "port"
    then = f"the columns of the {whose}: {', '.join(types)}"
    for check, said in unjudged(con, checks):
        yield Problem(f"the rule cannot run: {said}", check.where, next=then)
    for check in checks:
        if isinstance(check.measure, Query):
            found = _query_problem(con, check, check.measure, then)
            if found is not None:
                yield found


def _query_problem(
    con: duckdb.DuckDBPyConnection, check: Check, query: Query, then: str
) -> Problem | None:
    try:
        told = con.execute(f"DESCRIBE SELECT * FROM (\n{render(query)}\n)").fetchall()
    except AuditError as error:
        return Problem(str(error), check.where)
    except sql.engine_error() as error:
        found = unbound(error, check.where)
        return Problem(f"the rule cannot run: {found.what}", check.where, next=then)
    if len(told) != 1:
        return Problem(f"the query must return one column, not {len(told)}", check.where)
    kind = base(str(told[0][1]))
    if not (is_number(kind) or kind == "BOOLEAN"):
        what = f"the query returns {kind}, and a rule is about a number"
        return Problem(what, check.where, next="select a count, a sum or another number")
    return None
