"""Expectations of the library that are judged on conditions of ours, because its own have holes.

The library compares with bounds that went through a float, lets NaN through `between`, loses rows
with a null under `ignore_row_if: never` or `neither`, and fetches values to compare them in Python.
Here they are counted by one query, with the meaning that the library documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dataops_mesh.quality.exact import among, outside
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.measurement import Measurement
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.values import FLOATS, base, fit
from dataops_mesh.spec.checks.measures import Range
from dataops_mesh.spec.threshold import exactly

if TYPE_CHECKING:
    from dataops_mesh.quality.loan import Loan

Arguments = Mapping[str, Any]
Columns = Mapping[str, str]
# The rows that are looked at, and those of them that are not as expected.
Rows = tuple[str, str]
_AGGREGATES = {
    f"expect_column_{name}_to_be_between": function
    for name, function in (
        ("max", "max"),
        ("min", "min"),
        ("sum", "sum"),
        ("mean", "avg"),
        ("median", "median"),
    )
}


def own(loan: Loan, name: str, given: Arguments, columns: Columns) -> Measurement | None:
    """Return the measurement of an expectation, or None for one that the library judges well.

    Raises:
        AuditError: it makes no sense for the columns' types.
    """
    if name in _AGGREGATES:
        return _aggregate(loan, _AGGREGATES[name], given)
    judge = _ROWS.get(name)
    if judge is None:
        return None
    missing = [column for column in _named(given) if column not in columns]
    if missing:
        raise AuditError(f"column {missing[0]} is not in the candidate")
    looked, wrong = judge(loan, given, columns)
    query = (
        f"SELECT count(*), count(*) FILTER ({looked}), count(*) FILTER (({looked}) AND ({wrong})) "
        f'FROM "{AUDITED}"'
    )
    rows, seen, unexpected = loan.execute(query)[0]
    mostly = exactly(given.get("mostly", 1))
    met = seen == 0 or Fraction(seen - unexpected, seen) >= mostly
    return Measurement(0 if met else 1, rows, unexpected=unexpected)


def _named(given: Arguments) -> list[str]:
    single = [given[key] for key in ("column", "column_A", "column_B") if key in given]
    return [*single, *given.get("column_list", ())]


def _bounds(given: Arguments, column: str) -> Range:
    return Range(
        column,
        given.get("min_value"),
        given.get("max_value"),
        exclusive_minimum=bool(given.get("strict_min")),
        exclusive_maximum=bool(given.get("strict_max")),
    )


def _aggregate(loan: Loan, function: str, given: Arguments) -> Measurement:
    """Judge one value of a column; none of no rows is not as expected, and NaN never is."""
    name = quote(given["column"])
    query = f'SELECT {function}({name}) AS v FROM "{AUDITED}"'
    kind = str(loan.execute(f"DESCRIBE {query}")[0][1])
    wrong = f"v IS NULL OR {outside('v', kind, _bounds(given, given['column']))}"
    if base(kind) in FLOATS:  # min() does not see a NaN that stands among numbers
        wrong += f' OR (SELECT bool_or(isnan({name})) FROM "{AUDITED}")'
    [(rows,)] = loan.execute(f'SELECT count(*) FROM "{AUDITED}"')
    [(failed,)] = loan.execute(f"SELECT coalesce({wrong}, true) FROM ({query})")
    return Measurement(int(failed), rows)


def _between(_: Loan, given: Arguments, columns: Columns) -> Rows:
    name = quote(given["column"])
    return f"{name} IS NOT NULL", outside(
        name, columns[given["column"]], _bounds(given, given["column"])
    )


def _in_set(loan: Loan, given: Arguments, columns: Columns) -> Rows:
    name, kind = quote(given["column"]), columns[given["column"]]
    return f"{name} IS NOT NULL", f"NOT {among(name, kind, fit(loan, kind, given['value_set']))}"


def _not_in_set(loan: Loan, given: Arguments, columns: Columns) -> Rows:
    looked, wrong = _in_set(loan, given, columns)
    return looked, f"NOT ({wrong})"


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
    from decimal import Decimal

    return f"{Decimal(repr(value)):f}"


_ROWS: Mapping[str, Callable[[Loan, Arguments, Columns], Rows]] = {
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair(_not_greater),
    "expect_column_pair_values_to_be_equal": _pair(lambda a, b, _: f"{a} IS DISTINCT FROM {b}"),
    "expect_column_pair_values_to_be_in_set": _pair_in_set,
    "expect_compound_columns_to_be_unique": _list(_repeats),
    "expect_select_column_values_to_be_unique_within_record": _list(_not_unique_within),
    "expect_multicolumn_sum_to_equal": _list(_other_sum),
    "expect_multicolumn_values_to_be_equal": _list(_unequal),
}
