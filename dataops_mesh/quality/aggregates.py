"""Expectations about one value of a whole column: its least, its sum, its mean, its median.

Means and medians of whole and decimal numbers are exact, which avg() and median() are not: they
return a double.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dataops_mesh.quality.exact import outside
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.measurement import Measurement
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.values import FLOATS, base
from dataops_mesh.spec.checks.measures import Range
from dataops_mesh.spec.threshold import exactly

if TYPE_CHECKING:
    from dataops_mesh.quality.loan import Loan

Arguments = Mapping[str, Any]
AGGREGATES = {
    f"expect_column_{name}_to_be_between": function
    for name, function in (
        ("max", "max"),
        ("min", "min"),
        ("sum", "sum"),
        ("mean", "avg"),
        ("median", "median"),
    )
}


def aggregate(loan: Loan, function: str, given: Arguments) -> Measurement:
    """Judge one value of a column; none of no rows is not as expected, and NaN never is."""
    name = quote(given["column"])
    if function in _MIDDLES and (middle := _MIDDLES[function](loan, name)) is not None:
        [(rows,)] = loan.execute(f'SELECT count(*) FROM "{AUDITED}"')
        return Measurement(int(_beyond(middle, given)), rows)
    query = f'SELECT {function}({name}) AS v FROM "{AUDITED}"'
    kind = str(loan.execute(f"DESCRIBE {query}")[0][1])
    wrong = f"v IS NULL OR {outside('v', kind, bounds(given, given['column']))}"
    if base(kind) in FLOATS:  # min() does not see a NaN that stands among numbers
        wrong += f' OR (SELECT bool_or(isnan({name})) FROM "{AUDITED}")'
    [(rows,)] = loan.execute(f'SELECT count(*) FROM "{AUDITED}"')
    [(failed,)] = loan.execute(f"SELECT coalesce({wrong}, true) FROM ({query})")
    return Measurement(int(failed), rows)


def bounds(given: Arguments, column: str) -> Range:
    """Return the range that an expectation says."""
    return Range(
        column,
        given.get("min_value"),
        given.get("max_value"),
        exclusive_minimum=bool(given.get("strict_min")),
        exclusive_maximum=bool(given.get("strict_max")),
    )


def _mean(loan: Loan, name: str) -> Fraction | None:
    """Return the mean of whole or decimal numbers, which avg() would round to a double."""
    [(total, count)] = loan.execute(f'SELECT sum({name}), count({name}) FROM "{AUDITED}"')
    return Fraction(total) / count if isinstance(total, int | Decimal) else None


def _median(loan: Loan, name: str) -> Fraction | None:
    """Return the median of whole or decimal numbers, which median() would round to a double."""
    [(count,)] = loan.execute(f'SELECT count({name}) FROM "{AUDITED}"')
    middle = f"LIMIT {2 - count % 2} OFFSET {max(0, count - 1) // 2}"
    there = f'SELECT {name} FROM "{AUDITED}" WHERE {name} IS NOT NULL ORDER BY {name} {middle}'
    found = [value for (value,) in loan.execute(there)]
    if not found or not all(isinstance(v, int | Decimal) for v in found):
        return None
    return sum(map(Fraction, found), Fraction(0)) / len(found)


_MIDDLES = {"avg": _mean, "median": _median}


def _beyond(value: Fraction, given: Arguments) -> bool:
    low, high = given.get("min_value"), given.get("max_value")
    if low is not None and (
        value < exactly(low) or (given.get("strict_min") and value == exactly(low))
    ):
        return True
    if high is None:
        return False
    return value > exactly(high) or bool(given.get("strict_max") and value == exactly(high))
