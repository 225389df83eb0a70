"""A measure, as the expectations whose counts add up to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dataops_mesh.quality import expectations as ours
from dataops_mesh.quality.conditions import condition
from dataops_mesh.quality.library import library
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.values import ceiling, fit, is_text
from dataops_mesh.spec.checks.measures import (
    Duplicates,
    GreatExpectation,
    Length,
    Missing,
    NotMultiple,
    Nulls,
    OutsideSet,
    Range,
    RepeatedItems,
    RowCount,
    TooFine,
    Unformatted,
    Unmatched,
    Unreferenced,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.spec.checks.measures import Measure

Expectation = tuple[type[Any], dict[str, Any]]


def translate(loan: Loan, measure: Measure, columns: Mapping[str, str]) -> list[Expectation]:
    """Return the expectations, as class and arguments.

    Raises:
        AuditError: the measure makes no sense for the column's type.
    """
    match measure:
        case Nulls(name):
            return [(ours.ExpectNoNulls, {"column": name})]
        case Missing(name, values):
            return _missing(name, fit(loan, columns[name], values))
        case OutsideSet(name, values):
            found = list(fit(loan, columns[name], values))
            return [(ours.ExpectInSet, {"column": name, "value_set": found})]
        case Unmatched(name, pattern):
            return [(ours.ExpectPattern, {"column": name, "regex": pattern})]
        case Duplicates(names):
            return [(ours.ExpectNoDuplicatedKeys, {"keys": list(names)})]
        case Unreferenced(names, address, to):
            return [(ours.ExpectReferences, {"keys": list(names), "referenced": [*address, *to]})]
        case GreatExpectation(name, kwargs):
            return [(library(name), json.loads(kwargs))]
        case RowCount():
            return [(ours.ExpectRowCount, {})]
        case Unformatted() | NotMultiple() | TooFine() | RepeatedItems():
            given = {"column": measure.column, "condition": condition(measure, columns)}
            return [(ours.ExpectConditionNotMet, given)]
        case Length(name, low, high):
            bounds = {"min_value": low, "max_value": high}
            return [(ours.ExpectLengthBetween, {"column": name, **bounds})]
        case Range():
            return [(ours.ExpectBetween, _between(measure, columns[measure.column]))]
    raise AuditError(f"{type(measure).__name__} is not an expectation")


def _missing(name: str, values: tuple[Any, ...]) -> list[Expectation]:
    """Count nulls and the other values apart: the library's set expectations skip nulls."""
    nulls: Expectation = (ours.ExpectNoNulls, {"column": name})
    if not values:
        return [nulls]
    return [nulls, (ours.ExpectNotInSet, {"column": name, "value_set": list(values)})]


def _between(measure: Range, kind: str) -> dict[str, Any]:
    if is_text(kind):
        raise AuditError(f"{measure.column} is {kind}, which has no range")
    high, exclusive = ceiling(measure, kind)
    return {
        "column": measure.column,
        "min_value": measure.minimum,
        "max_value": high,
        "strict_min": measure.exclusive_minimum,
        "strict_max": exclusive,
    }
