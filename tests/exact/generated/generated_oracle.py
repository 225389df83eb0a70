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

import operator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from generated_measures import age_of, expectation, query
from generated_values import alike, among, formed, matches, multiple, outside, repeated

if TYPE_CHECKING:
    from generated_model import Column, Product, Rule


_SIGNS = {
    "mustBe": operator.eq,
    "mustNotBe": operator.ne,
    "mustBeGreaterThan": operator.gt,
    "mustBeGreaterOrEqualTo": operator.ge,
    "mustBeLessThan": operator.lt,
    "mustBeLessOrEqualTo": operator.le,
}


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
        age = age_of(_values(made, column))
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
            return sum(v is None or among(v, known, group) for v in values)
        case "invalidValues" if "pattern" in given:
            return sum(v is not None and not matches(v, given["pattern"]) for v in values)
        case "invalidValues":
            known = given["validValues"]
            return sum(v is not None and not among(v, known, group) for v in values)
        case "duplicateValues":
            return repeated([(v,) for v in values], 1)
        case "sql":
            return query(given["form"], values, column)
    return expectation(rule, values, column)


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


def _judged(rule: Rule, number: Any, rows: int) -> Expected:
    shown = 100 * number / rows if rule.percent and rows else number
    return Expected(shown, holds(rule, number, rows), not rule.warning)


def _values(made: Product, column: Column) -> list[Any]:
    at = made.columns.index(column)
    return [row[at].value for row in made.rows]


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
        found["range"] = sum(outside(v, options, group) for v in present)
    if "pattern" in options:
        found["pattern"] = sum(not matches(v, options["pattern"]) for v in present)
    if column.enum:
        found["enum"] = sum(not among(v, column.enum, group) for v in present)
    if "uniqueItems" in options:
        found["unique_items"] = sum(len(set(map(alike, v))) < len(v) for v in present)
    if "multipleOf" in options:
        found["multiple"] = sum(not multiple(v, options["multipleOf"], group) for v in present)
    if "format" in options:
        found["format"] = sum(not formed(v, options["format"]) for v in present)
    return found
