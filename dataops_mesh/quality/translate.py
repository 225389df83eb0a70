"""A measure, as the expectations whose counts add up to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dataops_mesh.quality import expectations as ours
from dataops_mesh.quality.conditions import condition
from dataops_mesh.quality.library import library
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.values import FLOATS, INTEGERS, base, is_number
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
            known = ".".join(map(quote, address))
            there = {row[0]: row[1] for row in loan.execute(f"DESCRIBE FROM {known}")}
            pairs = [
                (name, columns[name], key, there.get(key, ""))
                for name, key in zip(names, to, strict=True)
            ]
            also = [also for pair in pairs if (also := _exactly(*pair))]
            keys = {"keys": list(names), "referenced": [*address, *to], "also": also}
            return [(ours.ExpectReferences, keys)]
        case GreatExpectation(name, kwargs):
            return [(library(name), json.loads(kwargs))]
        case RowCount():
            return [(ours.ExpectRowCount, {})]
        case Query() | TableSchema() | SetAside() | DbtTest() | Unusual():
            raise AuditError(f"{type(measure).__name__} is not an expectation")
    given = {"column": measure.column, "condition": condition(loan, measure, columns)}
    return [(ours.ExpectConditionNotMet, given)]


def _exactly(name: str, kind: str, key: str, known: str) -> str:
    """Return what beside `=` tells a float from a whole or decimal number; nothing of others.

    DuckDB compares the two as floats, and many whole numbers are one float.
    """
    mine, theirs = f"o.{quote(name)}", f"k.{quote(key)}"
    if base(kind) not in FLOATS:
        mine, theirs, kind, known = theirs, mine, known, kind
    if base(kind) not in FLOATS or base(known) in FLOATS or not is_number(known):
        return ""
    if base(known) in INTEGERS:
        return f"TRY_CAST({mine} AS HUGEINT) = TRY_CAST({theirs} AS HUGEINT)"
    return f"TRY_CAST(CAST({mine} AS VARCHAR) AS {known}) = {theirs}"
