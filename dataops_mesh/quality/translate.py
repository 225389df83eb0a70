"""A measure, as the expectations whose counts add up to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dataops_mesh.quality import expectations as ours
from dataops_mesh.quality.conditions import condition
from dataops_mesh.quality.library import library
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.spec.checks.measures import (
    DbtTest,
    Duplicates,
    GreatExpectation,
    Query,
    RowCount,
    SetAside,
    TableSchema,
    Unreferenced,
    Unusual,
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
        case Duplicates(names):
            return [(ours.ExpectNoDuplicatedKeys, {"keys": list(names)})]
        case Unreferenced(names, address, to):
            return [(ours.ExpectReferences, {"keys": list(names), "referenced": [*address, *to]})]
        case GreatExpectation(name, kwargs):
            return [(library(name), json.loads(kwargs))]
        case RowCount():
            return [(ours.ExpectRowCount, {})]
        case Query() | TableSchema() | SetAside() | DbtTest() | Unusual():
            raise AuditError(f"{type(measure).__name__} is not an expectation")
    given = {"column": measure.column, "condition": condition(loan, measure, columns)}
    return [(ours.ExpectConditionNotMet, given)]
