"""Runs a contract's own SQL: one read-only SELECT that must return one number.

It goes straight to the borrowed connection: Great Expectations has no expectation whose
observed value is the number of a query (`UnexpectedRowsExpectation` counts its rows), and a
custom metric around it would add a layer and no check.
"""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote

if TYPE_CHECKING:
    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.spec.checks.measures import Query
    from dataops_mesh.spec.threshold import Number

_AVERAGES = re.compile(r"\b(?:avg|mean)\s*\(", re.IGNORECASE)
_PLAIN = {"expressions", "from", "from_", "where", "with", "with_", "kind"}
_WIDE = Context(prec=80)
PLACEHOLDER = re.compile(r"\$?\{(object|table|property|column)\}")


def number_of(loan: Loan, query: Query) -> Number:
    """Return the number that the query gives for the audited relation, as it is.

    A FLOAT is read as DuckDB shows it: as a double 0.3 would have other digits behind.

    Raises:
        AuditError: it failed, or did not return exactly one number.
    """
    inner = render(query)
    _refuse_all_but_one_select(loan, inner)
    rows = loan.execute(f"SELECT * FROM (\n{inner}\n) LIMIT 2")
    if len(rows) == 1 and len(rows[0]) == 1 and isinstance(rows[0][0], float):
        shown = f"SELECT CAST(CAST(COLUMNS(*) AS VARCHAR) AS DOUBLE) FROM (\n{inner}\n)"
        rows = loan.execute(shown) if _kind(loan, inner) == "FLOAT" else rows
    if len(rows) != 1:
        raise AuditError(f"the query must return one row, not {'none' if not rows else 'several'}")
    if len(rows[0]) != 1:
        raise AuditError(f"the query must return one column, not {len(rows[0])}")
    value = rows[0][0]
    if isinstance(value, float) and (mean := _mean(loan, inner, value)) is not None:
        return mean
    if not isinstance(value, (int, float, Decimal)) or math.isnan(value):
        raise AuditError("the query returned no number")
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return int(value) if isinstance(value, bool) else value


def _mean(loan: Loan, inner: str, near: float) -> Decimal | None:
    """Return the answer of `SELECT avg(...)` on whole or decimal numbers: avg() is a double."""
    query = parts_of_mean(inner)
    if query is None:
        return None
    [(total, count)] = loan.execute(query)
    if not isinstance(total, int | Decimal) or isinstance(total, bool):
        return None
    mean = _WIDE.divide(Decimal(total), Decimal(count))
    return mean if math.isclose(mean, near, rel_tol=1e-9) else None


@lru_cache(maxsize=256)
def parts_of_mean(inner: str) -> str | None:
    """Return the query of the sum and the count where a query is one plain mean.

    >>> parts_of_mean("select avg(n) as m from t where n > 1")
    'SELECT SUM(n), COUNT(n) FROM t WHERE n > 1'
    >>> parts_of_mean("select avg(n) from t group by k"), parts_of_mean("select max(n) from t")
    (None, None)
    """
    if not _AVERAGES.search(inner):
        return None
    from sqlglot import exp, parse_one

    query = parse_one(inner, dialect="duckdb")
    said = {key for key, given in query.args.items() if given}
    if not isinstance(query, exp.Select) or said - _PLAIN or len(query.selects) != 1:
        return None
    mean = query.selects[0].unalias()
    if isinstance(mean, exp.Anonymous) and mean.name.lower() == "mean" and mean.expressions:
        of = mean.expressions[0]
    elif isinstance(mean, exp.Avg):
        of = mean.this
    else:
        return None
    query.set("expressions", [exp.Sum(this=of.copy()), exp.Count(this=of.copy())])
    return query.sql(dialect="duckdb")


def _kind(loan: Loan, inner: str) -> str:
    return str(loan.execute(f"DESCRIBE SELECT * FROM (\n{inner}\n)")[0][1])


def _refuse_all_but_one_select(loan: Loan, sql: str) -> None:
    import duckdb

    kinds = [statement.type for statement in loan.connection.extract_statements(sql)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise AuditError("the query must be one SELECT")


def render(query: Query) -> str:
    """Put the audited relation and the rule's column into the query.

    >>> from dataops_mesh.spec.checks.measures import Query
    >>> render(Query("SELECT count({property}) FROM ${object};", "temp"))
    'SELECT count("temp") FROM "dataops_mesh_audited"'
    """

    def name(match: re.Match[str]) -> str:
        if match[1] in {"object", "table"}:
            return quote(AUDITED)
        if query.column is None:
            raise AuditError(f"the query says {{{match[1]}}}, but the rule stands under no column")
        return quote(query.column)

    return PLACEHOLDER.sub(name, query.sql).rstrip().rstrip(";")
