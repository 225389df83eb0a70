"""Judges a candidate by the product's own history, where a contract asks for that."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.ledger.usual import Build, Column, last_builds
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.record import open_record
from dataops_mesh.run.usual.bounds import LEAST
from dataops_mesh.run.usual.remarks import BUILDS, days_before, of_port
from dataops_mesh.spec.checks.check import Check, CheckResult, Outcome
from dataops_mesh.spec.checks.measures import Unusual
from dataops_mesh.store.described import PortData
from dataops_mesh.store.manifest import PUBLISH

_TOLD = 3  # sentences


def usual_results(attempt: Attempt) -> tuple[CheckResult, ...]:
    """Return one result for each check that compares the candidate with what was before.

    Args:
        attempt: has the ports of the candidate and the profile of their columns.
    """
    checks = [check for check in attempt.checks if isinstance(check.measure, Unusual)]
    if not checks:
        return ()
    product = attempt.product.qualified_name
    try:
        with open_record(attempt.environment) as ledger:
            before = last_builds(ledger, product, BUILDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows what is usual
        why = f"the record of earlier builds cannot be read ({type(error).__name__})"
        return tuple(_result(attempt, check, Outcome.ERRORED, why) for check in checks)
    return tuple(_judged(attempt, check, before.get(str(check.port), ())) for check in checks)


def _judged(attempt: Attempt, check: Check, before: Sequence[Build]) -> CheckResult:
    data = next((port for port in attempt.ports if port.address == check.port), None)
    if data is None:
        return _result(attempt, check, Outcome.ERRORED, "the port was not built")
    builds = (*before, _this(attempt, data))
    days = days_before(builds)
    if days < LEAST:
        why = f"{days} of the {LEAST} days of history that it takes to say what is usual"
        return _result(attempt, check, Outcome.PASSED, why, 0)
    measure = check.measure
    assert isinstance(measure, Unusual)  # noqa: S101 - chosen by it
    found = [
        one.sentence
        for one in of_port(str(check.port), builds)
        if one.kind in measure.kinds and measure.column in {"", one.column}
    ]
    rest = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    outcome = Outcome.FAILED if found else Outcome.PASSED
    return _result(attempt, check, outcome, "; ".join(found[:_TOLD]) + rest, len(found))


def _this(attempt: Attempt, data: PortData) -> Build:
    columns = {
        one.column: Column(one.nulls, one.mean, one.distinct)
        for one in attempt.profile
        if one.port == data.address
    }
    return Build(attempt.ref, PUBLISH, attempt.started, attempt.key, data.rows, columns)


def _result(
    attempt: Attempt, check: Check, outcome: Outcome, reason: str, observed: int | None = None
) -> CheckResult:
    return CheckResult(
        check=check.name,
        port=check.port,
        candidate=attempt.ref,
        fingerprint=check.fingerprint,
        outcome=outcome,
        severity=check.severity,
        observed=observed,
        reason=reason,
    )
