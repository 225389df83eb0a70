"""Five metrics x eight operators x rows or percent x three severities, on known counts."""

from __future__ import annotations

import operator
from itertools import product

import pytest
from quality_cases import check, parquet, run

from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.checks.measures import Duplicates, Missing, Nulls, OutsideSet, RowCount
from dataops_mesh.spec.model import Operator, Severity, Threshold, Unit

ROWS = 8
DATA = """
    SELECT * FROM (VALUES
        ('KJFK', 1, 'rain'), ('KJFK', 1, 'sun'), ('KLGA', 2, ''), ('KLGA', 2, 'fog'),
        ('KEWR', 3, 'NA'), (NULL, 4, 'sun'), (NULL, 4, NULL), ('KEWR', 5, 'sleet')
    ) AS t (station, key, sky)
"""
# What a person counts on the rows above.
KNOWN = {
    "nullValues": (Nulls("station"), 2),
    "missingValues": (Missing("sky", ("", "NA")), 3),
    "invalidValues": (OutsideSet("sky", ("rain", "sun", "fog", "sleet", "NA")), 1),
    "duplicateValues": (Duplicates(("station",)), 3),
    "rowCount": (RowCount(), ROWS),
}
# The operators as the standard words them, apart from the code under test.
MEANING = {
    Operator.BE: operator.eq,
    Operator.NOT_BE: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.BETWEEN: lambda number, ends: ends[0] <= number <= ends[1],
    Operator.NOT_BETWEEN: lambda number, ends: not ends[0] <= number <= ends[1],
}
CASES = [
    (metric, op, unit, severity, shift)
    for metric, op, unit, severity, shift in product(KNOWN, Operator, Unit, Severity, (-1, 0, 1))
    if not (metric == "rowCount" and unit is Unit.PERCENT)
]


def observed_of(metric, unit):
    count = KNOWN[metric][1]
    return 100 * count / ROWS if unit is Unit.PERCENT else count


def threshold_of(metric, op, unit, shift):
    value = observed_of(metric, unit) + shift
    pair = op in {Operator.BETWEEN, Operator.NOT_BETWEEN}
    return Threshold(op, (value, value + 0.5) if pair else value, unit)


def name_of(case):
    return "-".join(str(part) for part in case)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run all of the matrix in one audit."""
    checks = [
        check(KNOWN[metric][0], threshold_of(metric, op, unit, shift), severity, name_of(case))
        for case in CASES
        for metric, op, unit, severity, shift in [case]
    ]
    connection = parquet(tmp_path_factory.mktemp("matrix"), DATA)
    return {result.check: result for result in run(connection, *checks)}


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_threshold_is_judged_on_the_counted_number(results, case):
    metric, op, unit, severity, shift = case
    result = results[name_of(case)]
    observed = observed_of(metric, unit)
    holds = MEANING[op](observed, threshold_of(metric, op, unit, shift).value)
    assert result.outcome is (Outcome.PASSED if holds else Outcome.FAILED), result.reason
    assert result.observed == observed
    assert result.rows == ROWS
    assert result.severity is severity
    assert (result.candidate, result.fingerprint) == ("c-1", f"print-{name_of(case)}")
