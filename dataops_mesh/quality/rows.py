"""Which rows break a check, as SQL: for the split of a candidate before anything is judged.

The conditions are those that the checks count by, so what remains cannot break them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_mesh.quality.conditions import condition
from dataops_mesh.quality.loan import AUDITED, borrow, read_columns
from dataops_mesh.quality.measure import columns_of
from dataops_mesh.quality.query import render
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote
from dataops_mesh.spec.checks.measures import (
    DbtTest,
    Duplicates,
    GreatExpectation,
    Query,
    RowCount,
    SetAside,
    TableSchema,
    Unreferenced,
    Unusual,
)
from dataops_mesh.spec.predicate import row_condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.quality.relation import Relation
    from dataops_mesh.spec.checks.check import Check
    from dataops_mesh.spec.checks.measures import Measure


@dataclass(frozen=True, slots=True)
class Broken:
    """The rows that break one check.

    Args:
        check: its name.
        condition: true for these rows; false or null for all others.
        alias: the name by which the condition may call the relation.
    """

    check: str
    condition: str
    alias: str = AUDITED


def broken_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    checks: Iterable[Check],
    *,
    time_limit_seconds: float = 600,
) -> tuple[Broken, ...]:
    """Return which rows of a relation break each check.

    Raises:
        AuditError: a check makes no sense for what the relation is, or not for single rows; the
            audit says so of it.
    """
    with borrow(connection, relation, time_limit_seconds) as loan:
        columns = read_columns(loan, quote(AUDITED))
        return tuple(_broken(loan, check, columns) for check in checks)


def _broken(loan: Loan, check: Check, columns: Mapping[str, str]) -> Broken:
    if any(name not in columns for name in columns_of(check.measure)):
        raise AuditError(f"{check.name} is about a column that is not there")
    if isinstance(check.measure, Query):
        return _by_query(check.name, check.measure)
    return Broken(check.name, _condition(loan, check.measure, columns))


def _by_query(check: str, query: Query) -> Broken:
    found = row_condition(query.sql)
    if found is None:
        raise AuditError(f"{check} does not say which rows are wrong")
    return Broken(check, render(Query(found.condition, query.column)), found.alias or AUDITED)


def _condition(loan: Loan, measure: Measure, columns: Mapping[str, str]) -> str:
    match measure:
        case Duplicates() | Unreferenced() | RowCount() | TableSchema():
            raise AuditError(f"{type(measure).__name__} is not about single rows")
        case SetAside() | Query() | GreatExpectation() | DbtTest() | Unusual():
            raise AuditError(f"{type(measure).__name__} is not about single rows")
    return condition(loan, measure, columns)
