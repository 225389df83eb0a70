"""The conditions that a value must not meet, as SQL: once for counting, once for samples.

Only for measures that Great Expectations has no expectation for. Literals are ours or escaped;
the condition is null for a null, which is then not counted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.values import FLOATS, is_number
from dataops_mesh.spec.checks.measures import NotMultiple, RepeatedItems, TooFine, Unformatted

if TYPE_CHECKING:
    from collections.abc import Mapping

Conditional = Unformatted | NotMultiple | TooFine | RepeatedItems
_NEARLY = "1e-9"


def condition(measure: Conditional, columns: Mapping[str, str]) -> str:
    """Return the SQL that is true for an offending row.

    Raises:
        AuditError: the measure makes no sense for the column's type.

    >>> condition(NotMultiple("seats", 5), {"seats": "INTEGER"})
    '"seats" % 5 <> 0'
    """
    name, kind = quote(measure.column), columns[measure.column]
    match measure:
        case Unformatted(_, _, pattern, wanted):
            text = f"CAST({name} AS VARCHAR)"
            wrong = f"NOT regexp_matches({text}, {literal(pattern)})"
            unread = f" OR TRY_CAST({text} AS {wanted}) IS NULL" if wanted else ""
            return f"{name} IS NOT NULL AND ({wrong}{unread})"
        case NotMultiple(column, of):
            if not is_number(kind):
                raise AuditError(f"{column} is {kind}, which is no number")
            return _no_multiple(name, kind, of)
        case TooFine(column, _, step):
            if not kind.startswith("TIME"):
                raise AuditError(f"{column} is {kind}, which is no time")
            return f"epoch_us({name}) % {step} <> 0"
        case RepeatedItems(column):
            if not kind.endswith("]"):
                raise AuditError(f"{column} is {kind}, which is no array")
            # list_unique() leaves nulls out; several nulls are one item that repeats.
            nulls = f"least(len({name}) - list_count({name}), 1)"
            return f"list_unique({name}) + {nulls} <> len({name})"


def literal(text: str) -> str:
    """Return a text as a literal of SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _no_multiple(name: str, kind: str, of: float) -> str:
    number = f"{Decimal(repr(of)):f}"
    if kind not in FLOATS:
        return f"{name} % {number} <> 0"
    # A float is near a multiple: 0.3 is three times 0.1, though not to the last bit.
    times = f"{name} / {number}::DOUBLE"
    near = f"abs({times} - round({times})) <= {_NEARLY} * greatest(1, abs({times}))"
    return f"{name} IS NOT NULL AND NOT (isfinite({name}) AND {near})"
