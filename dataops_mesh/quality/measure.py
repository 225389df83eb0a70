"""Gets the number of every check: of types at once, then Great Expectations, then queries."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from dataops_mesh.quality.custom import own
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.measurement import Measurement
from dataops_mesh.quality.query import number_of
from dataops_mesh.quality.redact import AuditError, redact
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.schema import differences
from dataops_mesh.spec.checks.measures import (
    Duplicates,
    GreatExpectation,
    Query,
    SetAside,
    TableSchema,
    Unreferenced,
)
from dataops_mesh.spec.names import WHY, quarantine_schema

if TYPE_CHECKING:
    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.quality.translate import Expectation
    from dataops_mesh.spec.checks.check import Check
    from dataops_mesh.spec.checks.measures import Measure

Columns = Mapping[str, str]


def measure(loan: Loan, checks: Sequence[Check], columns: Columns) -> list[Measurement]:
    """Return one measurement per check, in order.

    Queries come last, so that one which never ends costs the other checks nothing.
    """
    measured: dict[int, Measurement] = {}
    expected: dict[int, list[Expectation]] = {}
    queries: dict[int, Query] = {}
    for index, check in enumerate(checks):
        shape = _shape(check.measure, columns)
        missing = [name for name in columns_of(check.measure) if name not in columns]
        if missing:
            measured[index] = Measurement(error=f"{absent(missing)} in the candidate")
        elif shape is not None:
            measured[index] = Measurement(shape)
        elif isinstance(check.measure, SetAside):
            measured[index] = _aside(loan, check.measure)
        elif isinstance(check.measure, Query):
            queries[index] = check.measure
        elif (judged := _judged(loan, check.measure, columns)) is not None:
            measured[index] = judged
        else:
            found = _expectations(loan, check.measure, columns)
            if isinstance(found, Measurement):
                measured[index] = found
            else:
                expected[index] = found
    measured |= _together(loan, expected)
    measured |= {index: _singly(loan, query) for index, query in queries.items()}
    return [measured[index] for index in range(len(checks))]


def _shape(measure: Measure, columns: Columns) -> int | None:
    """Return how many columns are not as declared; the description of the relation tells.

    As expectations each would cost milliseconds, and the library would read the same description.
    """
    if not isinstance(measure, TableSchema):
        return None
    found = differences(measure, columns)
    return len(found.missing) + len(found.undeclared) + len(found.mistyped)


def _aside(loan: Loan, measure: SetAside) -> Measurement:
    """Count the rows that any of the rules has set aside, of all that the transform returned."""
    domain, port = measure.address
    aside, rules = f"{quote(quarantine_schema(domain))}.{quote(port)}", list(measure.rules)
    query = f"SELECT count(*), count(*) FILTER (list_has_any({quote(WHY)}, $1)) FROM {aside}"
    try:
        [(out, broken)] = loan.execute(query, [rules])
        [(remained,)] = loan.execute(f"SELECT count(*) FROM {quote(AUDITED)}")
    except AuditError:
        return Measurement(error="it cannot be told which rows to set aside, and none were")
    return Measurement(int(broken), int(out) + int(remained))


def columns_of(measure: Measure) -> tuple[str, ...]:
    """Return the columns that must exist for the measure to be taken."""
    if isinstance(measure, Duplicates | Unreferenced):
        return measure.columns
    column: str | None = getattr(measure, "column", None)
    return (column,) if column is not None else ()


def absent(names: Sequence[str]) -> str:
    """Return that columns are not there.

    >>> absent(["a"]), absent(["a", "b"])
    ('column a is not', 'columns a, b are not')
    """
    return f"column {names[0]} is not" if len(names) == 1 else f"columns {', '.join(names)} are not"


def _expectations(
    loan: Loan, measure: Measure, columns: Columns
) -> list[Expectation] | Measurement:
    from dataops_mesh.quality.translate import translate

    try:
        return translate(loan, measure, columns)
    except Exception as error:  # noqa: BLE001 - this check is errored, the others go on
        return Measurement(error=redact(error))


def _judged(loan: Loan, measure: Measure, columns: Columns) -> Measurement | None:
    """Judge an expectation of the library on our own conditions, where its own have holes."""
    if not isinstance(measure, GreatExpectation):
        return None
    started = time.perf_counter()
    try:
        found = own(loan, measure.type, json.loads(measure.kwargs), columns)
    except Exception as error:  # noqa: BLE001 - this check is errored, the others go on
        found = Measurement(error=redact(error))
    return found and replace(found, seconds=time.perf_counter() - started)


def _together(loan: Loan, expected: Mapping[int, list[Expectation]]) -> dict[int, Measurement]:
    """Validate every different expectation once, and add up those of each check."""
    from dataops_mesh.quality.session import validate

    different = {repr(one): one for several in expected.values() for one in several}
    started = time.perf_counter()
    try:
        numbers = validate(loan, list(different.values()))
    except Exception as error:  # noqa: BLE001 - these checks are errored, the queries go on
        numbers = [Measurement(error=redact(error))] * len(different)
    share = (time.perf_counter() - started) / max(1, len(expected))
    found = dict(zip(different, numbers, strict=True))
    return {
        index: replace(reduce(add, (found[repr(one)] for one in several)), seconds=share)
        for index, several in expected.items()
    }


def _singly(loan: Loan, query: Query) -> Measurement:
    started = time.perf_counter()
    try:
        measured = Measurement(number_of(loan, query))
    except Exception as error:  # noqa: BLE001 - this check is errored, the others go on
        measured = Measurement(error=redact(error))
    return replace(measured, seconds=time.perf_counter() - started)
