"""A few offending rows, restricted to the columns that may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_mesh.quality.conditions import condition
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.redact import shown as shown_cell
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

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.spec.checks.measures import Measure
    from dataops_mesh.spec.model import Scalar

ROWS = 5
WIDTH = 80
# Read further than is shown: what is cut in the middle cannot be recognised.
READ = 1000

Sample = tuple[tuple[tuple[str, "Scalar"], ...], ...]


def sample(
    loan: Loan, measure: Measure, columns: Mapping[str, str], safe_columns: Collection[str]
) -> Sample:
    """Return up to five offending rows as text, or nothing where nothing may be shown.

    For duplicates these are keys, and only the safe part of each. A sample is a courtesy: if
    it cannot be read the check's outcome stands without it.
    """
    shown = sorted(name for name in columns if name in set(safe_columns))
    if isinstance(measure, Duplicates):
        shown = [name for name in shown if name in measure.columns]
    if not shown:
        return ()
    try:
        clause = _offending(loan, measure, columns)
        if not clause:
            return ()
        names = ", ".join(f"left(CAST({quote(name)} AS VARCHAR), {READ})" for name in shown)
        if isinstance(measure, Duplicates):
            keys = ", ".join(quote(name) for name in measure.columns)
            source = f'(SELECT {keys} FROM "{AUDITED}" {clause})'
        else:
            source = f'"{AUDITED}" WHERE {clause}'
        rows = loan.execute(f"SELECT {names} FROM {source} LIMIT {ROWS}")
    except AuditError:
        return ()
    return tuple(
        tuple((name, shown_cell(cell, WIDTH)) for name, cell in zip(shown, row, strict=True))
        for row in rows
    )


def _offending(loan: Loan, measure: Measure, columns: Mapping[str, str]) -> str:
    """Return the condition that holds for offending rows.

    The same meaning as Great Expectations' condition, said once more in SQL, because the
    library would bring whole rows and a sample may only ever read safe columns.
    """
    match measure:
        case Duplicates(names):
            keys = ", ".join(quote(name) for name in names)
            return f"WHERE {_any_present(names)} GROUP BY {keys} HAVING count(*) > 1"
        case Unreferenced(names, address, to):
            known = f"SELECT {', '.join(map(quote, to))} FROM {'.'.join(map(quote, address))}"
            nulls = " OR ".join(f"{quote(name)} IS NULL" for name in names)
            key = ", ".join(map(quote, names))
            return f"NOT ({nulls}) AND ({key}) NOT IN ({known} WHERE {_present(to)})"
        case (
            RowCount()
            | Query()
            | TableSchema()
            | SetAside()
            | GreatExpectation()
            | DbtTest()
            | Unusual()
        ):
            return ""
    return condition(loan, measure, columns)


def _any_present(names: tuple[str, ...]) -> str:
    return " OR ".join(f"{quote(name)} IS NOT NULL" for name in names)


def _present(names: tuple[str, ...]) -> str:
    return " AND ".join(f"{quote(name)} IS NOT NULL" for name in names)
