"""Expectations of the library that are judged on conditions of ours, because its own have holes.

The library compares with bounds that went through a float, lets NaN through `between`, loses rows
with a null under `ignore_row_if: never` or `neither`, and fetches values to compare them in Python.
Here they are counted by one query, with the meaning that the library documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from dataops_mesh.quality.aggregates import AGGREGATES, Arguments, aggregate, bounds
from dataops_mesh.quality.conditions import size
from dataops_mesh.quality.exact import among, outside
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.measurement import Measurement
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.values import FLOATS, fit
from dataops_mesh.spec.threshold import exactly

if TYPE_CHECKING:
    from dataops_mesh.quality.loan import Loan

Columns = Mapping[str, str]
# The rows that are looked at, and those of them that are not as expected.
Rows = tuple[str, str]


def own(loan: Loan, name: str, given: Arguments, columns: Columns) -> Measurement | None:
    """Return the measurement of an expectation, or None for one that the library judges well.

    Raises:
        AuditError: it makes no sense for the columns' types.
    """
    if name in AGGREGATES:
        return aggregate(loan, AGGREGATES[name], given)
    judge = _ROWS.get(name)
    if judge is None and name not in _DISTINCT:
        return None
    missing = [column for column in named(given) if column not in columns]
    if missing:
        raise AuditError(f"column {missing[0]} is not in the candidate")
    if judge is None:
        return _distinct(loan, given, columns, _DISTINCT[name])
    looked, wrong = judge(loan, given, columns)
    query = (
        f"SELECT count(*), count(*) FILTER ({looked}), count(*) FILTER (({looked}) AND ({wrong})) "
        f'FROM "{AUDITED}"'
    )
    rows, seen, unexpected = loan.execute(query)[0]
    mostly = exactly(given.get("mostly", 1))
    met = seen == 0 or Fraction(seen - unexpected, seen) >= mostly
    return Measurement(0 if met else 1, rows, unexpected=unexpected)


def named(given: Arguments) -> list[str]:
    """Return the columns that the arguments of an expectation name."""
    single = [given[key] for key in ("column", "column_A", "column_B") if key in given]
    return [*single, *given.get("column_list", ())]


def _between(_: Loan, given: Arguments, columns: Columns) -> Rows:
    name = quote(given["column"])
    return f"{name} IS NOT NULL", outside(
        name, columns[given["column"]], bounds(given, given["column"])
    )


def _in_set(loan: Loan, given: Arguments, columns: Columns) -> Rows:
    name, kind = quote(given["column"]), columns[given["column"]]
    return f"{name} IS NOT NULL", f"NOT {among(name, kind, fit(loan, kind, given['value_set']))}"


def _not_in_set(loan: Loan, given: Arguments, columns: Columns) -> Rows:
    looked, wrong = _in_set(loan, given, columns)
    return looked, f"NOT ({wrong})"


def _distinct(
    loan: Loan, given: Arguments, columns: Columns, asked: tuple[bool, bool]
) -> Measurement:
    """Judge a column's values: whether all are of the set, whether all of the set are there."""
    name, kind = quote(given["column"]), columns[given["column"]]
    within, complete = asked
    wanted = [value for value in given["value_set"] if value is not None]
    known = fit(loan, kind, wanted)
    tests = ["false"]
    tests += [f"bool_or({name} IS NOT NULL AND NOT {among(name, kind, known)})"] if within else []
    if complete:
        tests += [f"NOT coalesce(bool_or({among(name, kind, (value,))}), false)" for value in known]
    query = f"SELECT count(*), {' OR '.join(f'coalesce({one}, false)' for one in tests)}"
    [(rows, failed)] = loan.execute(f'{query} FROM "{AUDITED}"')
    return Measurement(int(failed or (complete and len(known) < len(wanted))), rows)


# All values are of the set; all of the set are values.
_DISTINCT = {
    "expect_column_distinct_values_to_be_in_set": (True, False),
    "expect_column_distinct_values_to_contain_set": (False, True),
    "expect_column_distinct_values_to_equal_set": (True, True),
}


def _lengths(_: Loan, given: Arguments, columns: Columns) -> Rows:
    name = quote(given["column"])
    length = size(name, columns[given["column"]])
    exact = given.get("value")
    low, high = (
        (exact, exact) if exact is not None else (given.get("min_value"), given.get("max_value"))
    )
    least, most = (">" if given.get(f"strict_{end}") else ">=" for end in ("min", "max"))
    tests = [f"{length} {least} {exactly_spelled(low)}"] if low is not None else []
    tests += [f"{exactly_spelled(high)} {most} {length}"] if high is not None else []
    return f"{name} IS NOT NULL", f"NOT ({' AND '.join(tests) or 'true'})"


def _considered(names: list[str], rule: str) -> str:
    """Return which rows count; the names of the library differ between pairs and lists."""
    tests = [f"{quote(name)} IS NOT NULL" for name in names]
    if rule in {"both_values_are_missing", "all_values_are_missing"}:
        return " OR ".join(tests)
    if rule in {"either_value_is_missing", "any_value_is_missing"}:
        return " AND ".join(tests)
    return "true"


def _pair(wrong: Callable[[str, str, Arguments], str]) -> Callable[..., Rows]:
    def judge(_: Loan, given: Arguments, __: Columns) -> Rows:
        a, b = given["column_A"], given["column_B"]
        looked = _considered([a, b], given.get("ignore_row_if", "both_values_are_missing"))
        return looked, wrong(quote(a), quote(b), given)

    return judge


def _not_greater(a: str, b: str, given: Arguments) -> str:
    sign = ">=" if given.get("or_equal") else ">"
    return f"({a} {sign} {b}) IS NOT TRUE"  # a null is greater than nothing


def _greater(loan: Loan, given: Arguments, columns: Columns) -> Rows:
    looked, wrong = _pair(_not_greater)(loan, given, columns)
    name = given["column_A"]
    # DuckDB sorts NaN above all others; nor is anything greater than it.
    return looked, f"{wrong} OR isnan({quote(name)})" if columns[name] in FLOATS else wrong


def _pair_in_set(loan: Loan, given: Arguments, columns: Columns) -> Rows:
    names = [given["column_A"], given["column_B"]]
    looked = _considered(names, given.get("ignore_row_if", "both_values_are_missing"))
    pairs = []
    for pair in given["value_pairs_set"]:
        parts = [
            f"{quote(name)} IS NULL"
            if value is None
            else among(quote(name), columns[name], fit(loan, columns[name], (value,)))
            for name, value in zip(names, pair, strict=True)
        ]
        pairs.append(f"({' AND '.join(parts)})")
    return looked, f"({' OR '.join(pairs) or 'false'}) IS NOT TRUE"


def _list(wrong: Callable[[list[str], Arguments], str]) -> Callable[..., Rows]:
    def judge(_: Loan, given: Arguments, __: Columns) -> Rows:
        names = list(given["column_list"])
        looked = _considered(names, given.get("ignore_row_if", "all_values_are_missing"))
        return looked, wrong([quote(name) for name in names], given)

    return judge


def _repeats(names: list[str], _: Arguments) -> str:
    known = f'SELECT {", ".join(names)} FROM "{AUDITED}"'
    keys = ", ".join(names)
    same = " AND ".join(f'k.{name} IS NOT DISTINCT FROM "{AUDITED}".{name}' for name in names)
    repeated = f"SELECT {keys} FROM ({known}) GROUP BY {keys} HAVING count(*) > 1"
    return f"EXISTS (SELECT 1 FROM ({repeated}) k WHERE {same})"


def _not_unique_within(names: list[str], _: Arguments) -> str:
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    return " OR ".join(f"{a} IS NOT DISTINCT FROM {b}" for a, b in pairs) or "false"


def _other_sum(names: list[str], given: Arguments) -> str:
    total = f"{exactly_spelled(given['sum_total'])}"
    return f"({' + '.join(names)} = {total}) IS NOT TRUE"


def _unequal(names: list[str], _: Arguments) -> str:
    return " OR ".join(f"{names[0]} IS DISTINCT FROM {other}" for other in names[1:]) or "false"


def exactly_spelled(value: float) -> str:
    """Return a number as a literal of DuckDB that is no float.

    >>> exactly_spelled(0.1), exactly_spelled(7)
    ('0.1', '7')
    """
    return f"{Decimal(repr(value)):f}"


_ROWS: Mapping[str, Callable[[Loan, Arguments, Columns], Rows]] = {
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": _lengths,
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
    "expect_column_pair_values_to_be_equal": _pair(lambda a, b, _: f"{a} IS DISTINCT FROM {b}"),
    "expect_column_pair_values_to_be_in_set": _pair_in_set,
    "expect_compound_columns_to_be_unique": _list(_repeats),
    "expect_select_column_values_to_be_unique_within_record": _list(_not_unique_within),
    "expect_multicolumn_sum_to_equal": _list(_other_sum),
    "expect_multicolumn_values_to_be_equal": _list(_unequal),
}
