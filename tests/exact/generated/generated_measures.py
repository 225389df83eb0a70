"""What SQL rules and expectations must answer: plain Python, no library."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from generated_kinds import moment
from generated_values import NUMBERS, WIDE, alike, among, matches, outside, shown32

if TYPE_CHECKING:
    from generated_model import Column, Rule


NOW = moment("2026-11-25 12:00:00")


QUERIES = {
    "nulls": "select count(*) from {object} where {property} is null",
    "sum": "select sum({property}) from {object}",
    "avg": "select avg({property}) as mean from {object}",
    "max": "select max({property}) from {object}",
    "min": "select min({property}) from {object}",
    "distinct": "select count(distinct {property}) from {object}",
    "several": "select count(*) > 1 from {object} -- true or false",
    "present": "select count({property}) from {object};",
}


FORMS = tuple(QUERIES)


EXPECTATIONS = (
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_unique",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_max_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_value_lengths_to_be_between",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_not_match_regex",
    "expect_column_distinct_values_to_be_in_set",
    "expect_column_distinct_values_to_contain_set",
    "expect_column_distinct_values_to_equal_set",
)


def age_of(values: list[Any]) -> float:
    """Return the hours since the latest value that is not in the future; of none, since 1970."""
    past = [v for v in values if v is not None and -math.inf < v <= NOW]
    return float(Fraction(NOW - max(past, default=0)) / 3_600_000_000)


def query(form: str, values: list[Any], column: Column) -> Any:
    present = [v for v in values if v is not None]
    group = column.kind.group
    match form:
        case "nulls":
            return values.count(None)
        case "present":
            return len(present)
        case "several":
            return int(len(values) > 1)
        case "distinct":
            return len(set(map(alike, present)))
    if not present or group not in NUMBERS or any(v != v for v in present):  # noqa: PLR0124 - NaN
        return None
    if form == "avg":
        total = None if group in {"float", "float32"} else _sum(present, column)
        return None if total is None else WIDE.divide(Decimal(total), Decimal(len(present)))
    if form == "sum":
        return None if group in {"float", "float32"} else _sum(present, column)
    value = max(present) if form == "max" else min(present)
    return shown32(value) if group == "float32" else value


def _sum(present: list[Any], column: Column) -> Any:
    """Return the sum, or None where DuckDB has no type for it."""
    total = sum(map(Fraction, present))
    size = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", _stored(column))
    digits, scale = (38, int(size[2])) if size else (38, 0)
    most = sum(abs(Fraction(one)) for one in present)  # in any order, no partial sum is larger
    if most * 10**scale >= 10**digits or (not size and most >= 2**127):
        return None
    # Exact: a Decimal of any width.
    return WIDE.divide(Decimal(total.numerator), Decimal(total.denominator))


def _stored(column: Column) -> str:
    physical = dict(column.kind.declared).get("physicalType", "")
    return "DECIMAL(38,0)" if physical == "HUGEINT" else physical


def expectation(rule: Rule, values: list[Any], column: Column) -> Any:
    """Return 0 if an expectation is met, else 1; None for what makes no sense for the column."""
    group, given, name = column.kind.group, rule.given, rule.what
    present = [v for v in values if v is not None]
    if name.split("_")[2] in {"max", "min", "sum", "mean", "median"}:
        return _aggregate(rule, present, column)
    if "_distinct_" in name:
        return _distinct(name, present, given["value_set"], group)
    match name.removeprefix("expect_column_"):
        case "values_to_be_between":
            return _met(given, present, [outside(v, _options(given), group) for v in present])
        case "values_to_be_in_set":
            return _met(given, present, [not among(v, given["value_set"], group) for v in present])
        case "values_to_not_be_in_set":
            return _met(given, present, [among(v, given["value_set"], group) for v in present])
        case "values_to_not_be_null":
            return _met(given, values, [v is None for v in values])
        case "values_to_be_unique":
            same = [alike(v) for v in present]
            return _met(given, present, [same.count(v) > 1 for v in same])
        case "unique_value_count_to_be_between":
            return int(len(set(map(alike, present))) < int(given["min_value"]))
        case "value_lengths_to_be_between" if group in {"text", "uuid", "json"}:
            low, high = int(given["min_value"]), int(given["max_value"])
            return _met(given, present, [not low <= len(v) <= high for v in present])
        case "values_to_match_regex" if group in {"text", "uuid"}:
            return _met(given, present, [not matches(v, given["regex"]) for v in present])
        case "values_to_not_match_regex" if group in {"text", "uuid"}:
            return _met(given, present, [matches(v, given["regex"]) for v in present])
    return None


def _distinct(name: str, present: list[Any], known: list[Any], group: str) -> int:
    within = all(among(v, known, group) for v in present)
    complete = _contains(present, known, group)
    if name.endswith("_be_in_set"):
        return int(not within)
    return int(not (complete and (within or "contain" in name)))


def _contains(present: list[Any], literals: list[Any], group: str) -> bool:
    return all(any(among(v, [one], group) for v in present) for one in literals)


def _options(given: dict[str, Any]) -> dict[str, Any]:
    low = "exclusiveMinimum" if given.get("strict_min") else "minimum"
    return {low: given["min_value"], "maximum": given["max_value"]}


def _met(given: dict[str, Any], looked: list[Any], wrong: list[bool]) -> int:
    mostly = Fraction(Decimal(given.get("mostly", "1")))
    return int(bool(looked) and Fraction(len(looked) - sum(wrong), len(looked)) < mostly)


def _aggregate(rule: Rule, present: list[Any], column: Column) -> Any:
    group = column.kind.group
    if not present or any(v != v for v in present):  # noqa: PLR0124 - NaN
        return 1
    if group in {"float", "float32"} and rule.what.split("_")[2] not in {"max", "min"}:
        return None
    if "_sum_" in rule.what or "_mean_" in rule.what:
        value = _sum(present, column)
        if value is None:
            return None
        value = Fraction(value) / (len(present) if "_mean_" in rule.what else 1)
        return int(outside(value, _options(rule.given), group))
    if "_median_" in rule.what:
        ordered, at = sorted(map(Fraction, present)), len(present)
        value = (ordered[(at - 1) // 2] + ordered[at // 2]) / 2
        return int(outside(value, _options(rule.given), group))
    value = max(present) if "_max_" in rule.what else min(present)
    return int(outside(value, _options(rule.given), group))
