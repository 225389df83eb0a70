"""One sentence for people about what was measured; names and counts, never cells."""

from __future__ import annotations

from decimal import Decimal
from math import isinf
from typing import TYPE_CHECKING

from dataops_mesh.quality.schema import cure, differences, wanted
from dataops_mesh.spec.checks.measures import (
    Duplicates,
    GreatExpectation,
    Length,
    Missing,
    NotMultiple,
    Nulls,
    OutsideSet,
    Query,
    Range,
    RepeatedItems,
    RowCount,
    SetAside,
    TableSchema,
    TooFine,
    Unformatted,
    Unmatched,
    Unreferenced,
)
from dataops_mesh.spec.model import Unit
from dataops_mesh.spec.read.sla import CHECKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataops_mesh.quality.measurement import Measurement
    from dataops_mesh.spec.checks.check import Check
    from dataops_mesh.spec.checks.measures import Measure
    from dataops_mesh.spec.threshold import Number


_SINCE = "Hours "  # so the description of a service level begins
_NEVER = 24 * 365 * 45  # hours; where there is no value, the age is counted from 1970


def sentence(
    check: Check,
    measured: Measurement,
    observed: Number,
    columns: Mapping[str, str],
    *,
    passed: bool = False,
) -> str:
    """Say what was measured and what the contract says."""
    if check.withheld:
        return withheld(check, passed=passed)
    if _is_level(check):
        return _aged(check, observed)
    fact = _fact(check.measure, measured, columns)
    if check.threshold.unit is Unit.PERCENT:
        fact = f"{observed:.6g} percent ({fact}, of {measured.rows})"
    return f"{fact}; the contract says {check.threshold}"


def withheld(check: Check, *, passed: bool) -> str:
    """Say how a check ended whose number may be a value of a classified column."""
    if _is_level(check):
        is_ = "is" if passed else "is not"
        return (
            f"the time {_level(check)} {is_} within what the contract promises, {_promise(check)}; "
            "it is not shown because the column is not classified public or internal"
        )
    result = "result" if isinstance(check.measure, Query) else "number"
    is_ = "is" if passed else "is not"
    return (
        f"the {result} of the rule {is_} what the contract says ({check.threshold}); it is not "
        "shown because the rule may read a value of a column that is not classified public or "
        "internal"
    )


def _aged(check: Check, hours: Number) -> str:
    """Say a service level in its own words; its threshold is in hours."""
    words, promised = _level(check), f"the contract promises {_promise(check)}"
    age, column = float(hours), words.removeprefix("since the ").partition(" ")[2]
    if words.startswith("since the latest") and age > _NEVER:
        return f"there is no value of {column} up to now; {promised}"
    if words.startswith("since the earliest") and age == 0:
        return f"there is no value of {column}; {promised}"
    if isinf(age):
        return f"endless time {words}; {promised}"
    return f"{_hours(age)} {words}; {promised}"


def _hours(number: float) -> str:
    return f"{number:,.10g} hour{'' if number == 1 else 's'}"


def _is_level(check: Check) -> bool:
    return check.name in CHECKED and check.description.startswith(_SINCE)


def _level(check: Check) -> str:
    return check.description.removeprefix(_SINCE).removesuffix(".")


def _promise(check: Check) -> str:
    return f"at most {_hours(float(check.threshold.value))}"  # type: ignore[arg-type]  # one number


def _fact(measure: Measure, measured: Measurement, columns: Mapping[str, str]) -> str:
    number = measured.number or 0
    match measure:
        case TableSchema():
            return _schema(number, measure, columns)
        case GreatExpectation(name):
            met = "is met" if number == 0 else "is not met"
            found = measured.unexpected
            rows = "" if found is None else f" ({_count(found, 'unexpected row')})"
            return f"{name} {met}{rows}"
        case SetAside(_, rules):
            verb = _plural(number, "was", "were")
            return f"{_count(number, 'row')} {verb} set aside by {', '.join(rules)}"
        case RowCount():
            return f"there {_plural(number, 'is', 'are')} {_count(number, 'row')}"
        case Query(told=told) if told:
            return f"there {_plural(number, 'is', 'are')} {_count(number, 'row')} {told}"
        case Query():
            return f"the query returned {spelled(number)}"
        case Duplicates(names):
            key = names[0] if len(names) == 1 else f"({', '.join(names)})"
            word = "value" if len(names) == 1 else "key"
            return f"{_count(number, word)} of {key} {_plural(number, 'repeats', 'repeat')}"
        case Unreferenced(names, address, to):
            key, known = "/".join(names), "/".join(to)
            are = _plural(number, "is", "are")
            return f"{_count(number, 'row')} of {key} {are} no {known} of {address}"
    column = getattr(measure, "column", "it")
    return f"{_count(number, 'row')} of {column} {_flaw(measure, number)}"


def _flaw(measure: Measure, number: Number) -> str:
    are = _plural(number, "is", "are")
    match measure:
        case Nulls():
            return f"{are} null"
        case Missing():
            return f"{are} missing"
        case OutsideSet():
            return f"{are} not a valid value"
        case Unmatched():
            return f"{_plural(number, 'does', 'do')} not match the pattern"
        case Unformatted():
            return f"{are} no {measure.format}"
        case NotMultiple():
            return f"{are} no multiple of {spelled(measure.of)}"
        case TooFine():
            return f"{_plural(number, 'has', 'have')} more than {measure.format} shows"
        case RepeatedItems():
            return f"{_plural(number, 'holds', 'hold')} an item twice"
        case Length():
            interval = _interval(measure.minimum, measure.maximum)
            return f"{_plural(number, 'has', 'have')} a length outside {interval}"
        case Range():
            ends = (
                "(" if measure.exclusive_minimum else "[",
                ")" if measure.exclusive_maximum else "]",
            )
            return f"{are} outside {_interval(measure.minimum, measure.maximum, *ends)}"
    return "were counted"


def _interval(low: object, high: object, left: str = "[", right: str = "]") -> str:
    """Return an interval as mathematicians write it.

    >>> _interval(0, 200), _interval(1, None, "(")
    ('[0, 200]', '(1, ∞)')
    """
    start = "(-∞" if low is None else f"{left}{low}"
    end = "∞)" if high is None else f"{high}{right}"
    return f"{start}, {end}"


def _schema(number: Number, schema: TableSchema, columns: Mapping[str, str]) -> str:
    found = differences(schema, columns)
    parts = [
        f"{label}: {', '.join(names)}"
        for label, names in (("missing", found.missing), ("not declared", found.undeclared))
        if names
    ]
    parts += [
        f"{one.column} is {(kind := columns[one.column])}, not {wanted(one)}: {cure(kind, one)}"
        for one in found.mistyped
    ]
    details = f" ({'; '.join(parts)})" if parts else ""
    return f"{_count(number, 'column')} {_plural(number, 'differs', 'differ')}{details}"


def spelled(number: Number) -> str:
    """Return a number with all of its digits.

    >>> spelled(9007199254740993), spelled(Decimal("1.10")), spelled(2.0)
    ('9007199254740993', '1.1', '2')
    """
    if isinstance(number, Decimal):
        return f"{number.normalize():f}"
    return repr(number).removesuffix(".0")


def _plural(number: Number, one: str, many: str) -> str:
    return one if number == 1 else many


def _count(number: Number, noun: str) -> str:
    return f"{number:,.0f} {noun if number == 1 else noun + 's'}"
