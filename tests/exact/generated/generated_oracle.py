"""What every check of a generated product must say, in plain Python on int, Decimal and Fraction.

Nothing here may import the library under test. The semantics, in one place:

- null is missing and nothing else; NaN is outside every range, in no set, a multiple of nothing,
  and one value like another where values are counted or compared with each other;
- infinity is a value beyond every bound; -0.0 is 0; empty text is text of length 0;
- a key of nothing but nulls is no key, in others null equals null;
- floats are compared with the float next to what the contract says, everything else as written;
- percent is of all rows, and 0 of none.
"""

from __future__ import annotations

import ipaddress
import json
import math
import operator
import re
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from generated_kinds import DAY, float32, moment, time_of_day

if TYPE_CHECKING:
    from generated_contract import Column, Product, Rule

NUMBERS = {"int", "decimal", "float", "float32"}
NOW = moment("2026-11-25 12:00:00")
WIDE = Context(prec=200)
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
_SIGNS = {
    "mustBe": operator.eq,
    "mustNotBe": operator.ne,
    "mustBeGreaterThan": operator.gt,
    "mustBeGreaterOrEqualTo": operator.ge,
    "mustBeLessThan": operator.lt,
    "mustBeLessOrEqualTo": operator.le,
}
_STEPS = {"yyyy-MM-dd HH:mm:ss": 1_000_000, "yyyy-MM-dd HH": 3_600_000_000, "yyyy-MM-dd": DAY}


class Expected(NamedTuple):
    """What a check must say: its number, whether it passes, whether it can refuse."""

    number: Any
    passes: bool
    refuses: bool = True


def expected(made: Product) -> dict[str, Expected]:
    """Return what each check must say, by its name."""
    found = {"schema": Expected(0, passes=True)}
    if not made.allow_empty:
        found["not_empty"] = Expected(len(made.rows), bool(made.rows))
    keys = sorted((c for c in made.columns if c.key), key=lambda c: c.key)
    if keys:
        count = repeated(list(zip(*(_values(made, c) for c in keys), strict=True)), len(keys))
        found["primary_key"] = Expected(count, count == 0)
    for column in made.columns:
        values = _values(made, column)
        for name, count in _constraints(column, values).items():
            found[f"{column.name}_{name}"] = Expected(count, count == 0)
        for rule in column.rules:
            found[rule.id] = _judged(rule, number_of(rule, column, values), len(values))
    for rule in made.rules:
        found[rule.id] = _judged(rule, number_of_table(rule, made), len(made.rows))
    if made.freshness:
        name, hours = made.freshness
        (column,) = (c for c in made.columns if c.name == name)
        age = _age(_values(made, column))
        found["freshness"] = Expected(age, age <= hours, refuses=False)
    return found


def publishes(made: Product) -> bool:
    """Tell whether the product must be published."""
    return all(one.passes or not one.refuses for one in expected(made).values())


def broken(made: Product) -> set[str]:
    """Return the names of the checks that must fail."""
    return {name for name, one in expected(made).items() if not one.passes}


def broken_column(column: Column, values: list[Any]) -> bool:
    """Tell whether a constraint of a column does not hold."""
    return any(_constraints(column, values).values())


def number_of(rule: Rule, column: Column, values: list[Any]) -> Any:
    """Return the number of a rule of a column; None for what makes no sense there."""
    group, given = column.kind.group, rule.given
    match rule.what:
        case "nullValues":
            return values.count(None)
        case "missingValues":
            known = given["missingValues"]
            return sum(v is None or _among(v, known, group) for v in values)
        case "invalidValues" if "pattern" in given:
            return sum(v is not None and not _matches(v, given["pattern"]) for v in values)
        case "invalidValues":
            known = given["validValues"]
            return sum(v is not None and not _among(v, known, group) for v in values)
        case "duplicateValues":
            return repeated([(v,) for v in values], 1)
        case "sql":
            return _query(given["form"], values, column)
    return _expectation(rule, values, column)


def number_of_table(rule: Rule, made: Product) -> int:
    """Return the number of a rule of the whole relation."""
    if rule.what == "rowCount":
        return len(made.rows)
    named = [c for name in rule.given["properties"] for c in made.columns if c.name == name]
    return repeated(list(zip(*(_values(made, c) for c in named), strict=True)), len(named))


def holds(rule: Rule, number: Any, rows: int) -> bool:
    """Tell whether a number is what the threshold says."""
    if rule.percent:
        number = Fraction(100 * number, rows) if rows else Fraction(0)
    read = (lambda text: float(Decimal(text))) if isinstance(number, float) else Fraction
    found = number if isinstance(number, float) else Fraction(number)
    ends = [read(str(text)) for text in rule.value]
    if len(ends) > 1:
        inside = ends[0] <= found <= ends[1]
        return inside if rule.operator == "mustBeBetween" else not inside
    return bool(_SIGNS[rule.operator](found, ends[0]))


def read(literal: Any, group: str) -> Any:
    """Return what a contract's spelling of a value means for a column."""
    if group in NUMBERS:
        return Fraction(Decimal(literal))
    if group in {"date", "timestamp"}:
        return moment(literal)
    if group == "time":
        return time_of_day(literal)
    return literal.lower() if group == "uuid" else literal


def repeated(keys: list[tuple[Any, ...]], width: int) -> int:
    """Return how many keys occur more than once."""
    counts: dict[tuple[Any, ...], int] = {}
    for key in keys:
        if key != (None,) * width:
            same = tuple(map(_same, key))
            counts[same] = counts.get(same, 0) + 1
    return sum(count > 1 for count in counts.values())


def _judged(rule: Rule, number: Any, rows: int) -> Expected:
    shown = 100 * number / rows if rule.percent and rows else number
    return Expected(shown, holds(rule, number, rows), not rule.warning)


def _values(made: Product, column: Column) -> list[Any]:
    at = made.columns.index(column)
    return [row[at].value for row in made.rows]


def _same(value: Any) -> Any:
    """Return what equals another value exactly if the two are one value."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, tuple):
        return tuple(map(_same, value))
    return (type(value).__name__, value) if isinstance(value, bool | str) else value


def _constraints(column: Column, values: list[Any]) -> dict[str, int]:
    """Return how many rows (or keys) break each constraint of a column."""
    group, options, found = column.kind.group, column.options, {}
    present = [v for v in values if v is not None]
    if "required" in column.flags or column.key:
        found["required"] = values.count(None)
    if "unique" in column.flags:
        found["unique"] = repeated([(v,) for v in values], 1)
    for name, low, high in (
        ("length", "minLength", "maxLength"),
        ("items", "minItems", "maxItems"),
    ):
        if low in options or high in options:
            least, most = int(options.get(low, 0)), int(options.get(high, 10**9))
            found[name] = sum(not least <= len(v) <= most for v in present)
    if any("imum" in key for key in options):
        found["range"] = sum(_outside(v, options, group) for v in present)
    if "pattern" in options:
        found["pattern"] = sum(not _matches(v, options["pattern"]) for v in present)
    if column.enum:
        found["enum"] = sum(not _among(v, column.enum, group) for v in present)
    if "uniqueItems" in options:
        found["unique_items"] = sum(len(set(map(_same, v))) < len(v) for v in present)
    if "multipleOf" in options:
        found["multiple"] = sum(not _multiple(v, options["multipleOf"], group) for v in present)
    if "format" in options:
        found["format"] = sum(not _formed(v, options["format"]) for v in present)
    return found


def _outside(value: Any, options: dict[str, Any], group: str) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return True
    for key, beyond in (("minimum", operator.lt), ("maximum", operator.gt),
                        ("exclusiveMinimum", operator.le), ("exclusiveMaximum", operator.ge)):  # fmt: skip
        if key in options and beyond(_exact(value), _end(options[key], group)):
            return True
    return False


def _exact(value: Any) -> Any:
    return value if isinstance(value, float) else Fraction(value)


def _end(literal: Any, group: str) -> Any:
    """Return what a value of the column is compared with: of floats, the float next to it."""
    if group == "float":
        return float(Decimal(literal))
    if group == "float32":
        return float32(float(literal)) if abs(float(literal)) < 3.5e38 else float(literal)
    return read(literal, group)


def _among(value: Any, literals: Any, group: str) -> bool:
    if group == "json":
        inner = json.loads(value)
        return (inner if isinstance(inner, str) else value) in literals
    if group in NUMBERS:
        return any(_exact(value) == _end(one, group) for one in literals)
    return value in [read(one, group) for one in literals]


def _matches(text: str, pattern: str) -> bool:
    return re.search(pattern.replace("$", r"\Z"), text, re.ASCII) is not None


def _multiple(value: Any, of: str, group: str) -> bool:
    if not isinstance(value, float):
        return (Fraction(value) / Fraction(Decimal(of))).denominator == 1
    if not math.isfinite(value):
        return False
    narrow = float32 if group == "float32" else float
    times = round(Fraction(value) / Fraction(Decimal(of)))
    # A float is a multiple if it is the one next to a multiple; or off by the dust of a sum.
    near = Fraction(Decimal(of)) * times
    return (
        narrow(float(near)) == value or abs(Fraction(value) - near) <= Fraction(Decimal(of)) / 10**9
    )


def _formed(value: Any, form: str) -> bool:
    if form in _STEPS:
        return math.isinf(value) or value % _STEPS[form] == 0
    try:
        match form:
            case "date":
                return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value) and date.fromisoformat(value))
            case "ipv4":
                return bool(ipaddress.IPv4Address(value))
    except ValueError:
        return False
    return bool(re.fullmatch(r"[a-z]+@[a-z]+\.com", value))


def _age(values: list[Any]) -> float:
    """Return the hours since the latest value that is not in the future; of none, since 1970."""
    past = [v for v in values if v is not None and -math.inf < v <= NOW]
    return float(Fraction(NOW - max(past, default=0)) / 3_600_000_000)


def _query(form: str, values: list[Any], column: Column) -> Any:
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
            return len(set(map(_same, present)))
    if not present or group not in NUMBERS or any(v != v for v in present):  # noqa: PLR0124 - NaN
        return None
    if form == "avg":
        total = None if group in {"float", "float32"} else _sum(present, column)
        return None if total is None else WIDE.divide(Decimal(total), Decimal(len(present)))
    if form == "sum":
        return None if group in {"float", "float32"} else _sum(present, column)
    value = max(present) if form == "max" else min(present)
    return shown32(value) if group == "float32" else value


def shown32(value: float) -> float:
    """Return the number that people read where a float of 32 bits stands.

    >>> shown32(float32(-9.9))
    -9.9
    """
    if math.isinf(value):
        return value
    shown = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next(number for number in shown if float32(number) == value)


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


def _expectation(rule: Rule, values: list[Any], column: Column) -> Any:
    """Return 0 if an expectation is met, else 1; None for what makes no sense for the column."""
    group, given, name = column.kind.group, rule.given, rule.what
    present = [v for v in values if v is not None]
    if name.split("_")[2] in {"max", "min", "sum", "mean", "median"}:
        return _aggregate(rule, present, column)
    if "_distinct_" in name:
        return _distinct(name, present, given["value_set"], group)
    match name.removeprefix("expect_column_"):
        case "values_to_be_between":
            return _met(given, present, [_outside(v, _options(given), group) for v in present])
        case "values_to_be_in_set":
            return _met(given, present, [not _among(v, given["value_set"], group) for v in present])
        case "values_to_not_be_in_set":
            return _met(given, present, [_among(v, given["value_set"], group) for v in present])
        case "values_to_not_be_null":
            return _met(given, values, [v is None for v in values])
        case "values_to_be_unique":
            same = [_same(v) for v in present]
            return _met(given, present, [same.count(v) > 1 for v in same])
        case "unique_value_count_to_be_between":
            return int(len(set(map(_same, present))) < int(given["min_value"]))
        case "value_lengths_to_be_between" if group in {"text", "uuid", "json"}:
            low, high = int(given["min_value"]), int(given["max_value"])
            return _met(given, present, [not low <= len(v) <= high for v in present])
        case "values_to_match_regex" if group in {"text", "uuid"}:
            return _met(given, present, [not _matches(v, given["regex"]) for v in present])
        case "values_to_not_match_regex" if group in {"text", "uuid"}:
            return _met(given, present, [_matches(v, given["regex"]) for v in present])
    return None


def _distinct(name: str, present: list[Any], known: list[Any], group: str) -> int:
    within = all(_among(v, known, group) for v in present)
    complete = _contains(present, known, group)
    if name.endswith("_be_in_set"):
        return int(not within)
    return int(not (complete and (within or "contain" in name)))


def _contains(present: list[Any], literals: list[Any], group: str) -> bool:
    return all(any(_among(v, [one], group) for v in present) for one in literals)


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
        return int(_outside(value, _options(rule.given), group))
    if "_median_" in rule.what:
        ordered, at = sorted(map(Fraction, present)), len(present)
        value = (ordered[(at - 1) // 2] + ordered[at // 2]) / 2
        return int(_outside(value, _options(rule.given), group))
    value = max(present) if "_max_" in rule.what else min(present)
    return int(_outside(value, _options(rule.given), group))
