"""Runs the checks of a contract on one candidate.

    checks -> which could be run at all -> Great Expectations, all at once -> numbers
           -> queries, one by one ----------------------------------------> numbers
    number -> threshold -> outcome, one sentence, and for a failure a sample

What the numbers are:

- percent is of all rows, also for nulls and for duplicated keys; of no rows it is 0, because
  whether a relation may be empty is the business of the row count;
- a duplicate is a key that occurs more than once, however often it does; a key of nothing but
  nulls is none;
- what null, NaN, infinity and empty text mean, `conditions.py` says.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from dataops_mesh.quality.loan import AUDITED, borrow, read_columns
from dataops_mesh.quality.measure import measure
from dataops_mesh.quality.measurement import Measurement
from dataops_mesh.quality.redact import redact
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.sample import sample
from dataops_mesh.quality.wording import sentence
from dataops_mesh.spec.checks.check import CheckResult, Outcome
from dataops_mesh.spec.model import Operator, Unit
from dataops_mesh.spec.threshold import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.quality.relation import Relation
    from dataops_mesh.spec.checks.check import Check
    from dataops_mesh.spec.threshold import Number

# Enough for any share and any threshold: a contract's numbers have at most 48 digits.
_WIDE = Context(prec=120)
TOO_MANY = frozenset({Operator.BE, Operator.BETWEEN, Operator.LESS, Operator.LESS_OR_EQUAL})


def audit(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    checks: Sequence[Check],
    *,
    candidate: str,
    time_limit_seconds: float = 600,
) -> tuple[CheckResult, ...]:
    """Return exactly one result per check, in order; what could not run is `errored`.

    Args:
        connection: where the view exists; not inside a transaction. It is only read, but for
            one temporary view that is gone afterwards.
        relation: the view to audit.
        checks: any number of checks.
        candidate: the candidate's id, copied into the results.
        time_limit_seconds: for the whole audit; what has not finished by then is errored.
    """
    if not checks:
        return ()
    results: tuple[CheckResult, ...] = ()
    try:
        # The first import takes seconds, which shall not count against the time limit.
        import dataops_mesh.quality.session
        import dataops_mesh.quality.translate  # noqa: F401

        with borrow(connection, relation, time_limit_seconds) as loan:
            columns = read_columns(loan, quote(AUDITED))
            results = tuple(
                _conclude(loan, relation, check, measured, columns=columns, candidate=candidate)
                for check, measured in zip(checks, measure(loan, checks, columns), strict=True)
            )
    except Exception as error:  # noqa: BLE001 - one result per check, whatever happens
        failure = Measurement(error=redact(error))
        results = results or tuple(_errored(check, failure, candidate) for check in checks)
    return results


def _conclude(  # noqa: PLR0913 - everything that a result is made of
    loan: Loan,
    relation: Relation,
    check: Check,
    measured: Measurement,
    *,
    columns: Mapping[str, str],
    candidate: str,
) -> CheckResult:
    """Let the threshold judge the number, and show a few rows if it is not met."""
    if measured.number is None:
        return _errored(check, measured, candidate)
    observed = _observed(check, measured)
    told = {relation.unnamed.get(name, name): kind for name, kind in columns.items()}
    passed = check.threshold.holds(observed)
    result = CheckResult(
        check=check.name,
        port=check.port,
        candidate=candidate,
        fingerprint=check.fingerprint,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        severity=check.severity,
        observed=None if check.withheld else as_json(observed),
        rows=measured.rows,
        reason=sentence(check, measured, observed, told, passed=passed),
        seconds=measured.seconds,
        withheld=check.withheld,
    )
    if passed or not measured.number or check.threshold.operator not in TOO_MANY:
        return result
    rows = sample(loan, check.measure, columns, relation.safe_columns)
    return replace(result, sample=rows)


def _observed(check: Check, measured: Measurement) -> Number:
    """Return the number in the threshold's unit; percent of all rows, and 0 of no rows.

    A share is told as a float, but where that one falls on the other side of the threshold.
    """
    number = measured.number or 0
    if check.threshold.unit is not Unit.PERCENT or measured.rows is None:
        return number
    if not measured.rows:
        return 0.0
    part = 100 * int(number)
    shown, share = part / measured.rows, _WIDE.divide(Decimal(part), Decimal(measured.rows))
    return shown if check.threshold.holds(shown) == check.threshold.holds(share) else share


def _errored(check: Check, measured: Measurement, candidate: str) -> CheckResult:
    return CheckResult(
        check=check.name,
        port=check.port,
        candidate=candidate,
        fingerprint=check.fingerprint,
        outcome=Outcome.ERRORED,
        severity=check.severity,
        reason=f"{check.name} could not run: {measured.error}",
        seconds=measured.seconds,
    )
