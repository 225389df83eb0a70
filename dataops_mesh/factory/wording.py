"""What a check measures, in the words that the UI shows."""

from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.measures import (
    DbtTest,
    Duplicates,
    GreatExpectation,
    Length,
    Measure,
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
    Unusual,
)


def promise(check: Check) -> str:
    """Return one sentence: what is measured, on what, and what it must be.

    >>> from dataops_mesh.spec.model import ZERO
    >>> measured(Nulls("temp"))
    'rows in which temp is null'
    """
    incoming = f"On incoming data ({check.relation}): " if check.stage is Stage.INPUT else ""
    text = f"{incoming}{measured(check.measure)} {check.threshold}."
    return f"{check.description} ({text})" if check.description else text


def measured(measure: Measure) -> str:  # noqa: PLR0911 - one sentence for each measure
    """Return what a measure counts."""
    match measure:
        case Nulls(column):
            return f"rows in which {column} is null"
        case Missing(column, values):
            return f"rows in which {column} is null or one of {len(values)} placeholders"
        case OutsideSet(column, values):
            return f"rows in which {column} is none of {_listed(values)}"
        case Unmatched(column, pattern):
            return f"rows in which {column} does not match {pattern}"
        case Duplicates(columns):
            return f"keys ({', '.join(columns)}) that occur more than once"
        case RowCount():
            return "rows"
        case SetAside(_, rules):
            return f"rows set aside by {', '.join(rules)}"
        case TableSchema(columns):
            return f"columns missing, not declared or of another type, of {len(columns)}"
        case Length(column, low, high):
            return f"rows in which the length of {column} is outside {low or 0} to {high or 'any'}"
        case Range(column, low, high):
            return f"rows in which {column} is outside {_end(low)} to {_end(high)}"
        case Unreferenced(columns, address, to):
            return f"rows whose {' and '.join(columns)} is not a {' and '.join(to)} of {address}"
        case Query():
            return "the number that the rule's query returns"
        case Unusual(kinds, column):
            return f"numbers ({', '.join(kinds)}) of {column or 'all columns'} that are not usual"
        case DbtTest():
            return "the dbt test failed (1) or passed (0)"
    return _inside(measure)


def _inside(measure: Measure) -> str:
    """Return what a measure of formats, arrays and other types counts."""
    match measure:
        case Unformatted(column, name):
            return f"rows in which {column} is no {name}"
        case NotMultiple(column, of):
            return f"rows in which {column} is no multiple of {of:.15g}"
        case TooFine(column, name):
            return f"rows in which {column} has more than {name} shows"
        case GreatExpectation(name):
            return f"{name} is not met (1) or met (0)"
        case RepeatedItems(column):
            return f"rows in which {column} holds an item twice"
    return str(measure)


def _listed(values: tuple[object, ...]) -> str:
    shown = ", ".join(str(value) for value in values[:5])
    return shown if len(values) <= 5 else f"{shown} and {len(values) - 5} more"  # noqa: PLR2004


def _end(bound: object) -> str:
    return "any" if bound is None else str(bound)
