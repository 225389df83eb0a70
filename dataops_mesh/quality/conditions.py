"""The conditions that a value must not meet, as SQL: once for counting, once for samples.

Said here and not by Great Expectations' own conditions, because those take bounds through a float
and let NaN through. Literals are ours or escaped; a condition that is null is not counted.

What every measure says of the values that are none:

- null is missing and nothing else: it is outside no range, no set, no pattern and no length;
- NaN is a number that is outside every range, no multiple of anything and in no set;
- infinity, of numbers and of times, is a value like others: outside each bound that it is beyond;
- empty text is a value: it has length 0, and is missing only where `missingValues` says so.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from dataops_mesh.quality.exact import among, outside
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.values import FLOATS, base, fit, is_number, number
from dataops_mesh.spec.checks.measures import (
    Length,
    Missing,
    NotMultiple,
    Nulls,
    OutsideSet,
    Range,
    RepeatedItems,
    TooFine,
    Unformatted,
    Unmatched,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataops_mesh.quality.loan import Loan

Conditional = (
    Nulls | Missing | OutsideSet | Unmatched | Length | Range
    | Unformatted | NotMultiple | TooFine | RepeatedItems
)  # fmt: skip
_NEARLY = "1e-9"
_LARGEST = 2**127 - 1
_DOUBLE_MOST = Decimal("1.7e308")
_PLAIN_DIGITS = 18  # of so many, a decimal times its scale is a decimal


def condition(loan: Loan, measure: Conditional, columns: Mapping[str, str]) -> str:
    """Return the SQL that is true for an offending row.

    Raises:
        AuditError: the measure makes no sense for the column's type.
    """
    name, kind = quote(measure.column), columns[measure.column]
    match measure:
        case Nulls():
            return f"{name} IS NULL"
        case Missing(_, values):
            return f"{name} IS NULL OR {among(name, kind, fit(loan, kind, values))}"
        case OutsideSet(_, values):
            return f"{name} IS NOT NULL AND NOT {among(name, kind, fit(loan, kind, values))}"
        case Unmatched(_, pattern):
            return f"NOT regexp_matches(CAST({name} AS VARCHAR), {literal(pattern)})"
        case Length(_, low, high):
            length = size(name, kind)
            parts = [f"{length} < {low}"] if low is not None else []
            parts += [f"{length} > {high}"] if high is not None else []
            return " OR ".join(parts)
        case Range():
            return outside(name, kind, measure)
        case Unformatted(_, _, pattern, wanted):
            text = f"CAST({name} AS VARCHAR)"
            wrong = f"NOT regexp_matches({text}, {literal(pattern)})"
            unread = f" OR TRY_CAST({text} AS {wanted}) IS NULL" if wanted else ""
            return f"{name} IS NOT NULL AND ({wrong}{unread})"
        case NotMultiple(column, of):
            if not is_number(kind):
                raise AuditError(f"{column} is {kind}, which is no number")
            return no_multiple(name, kind, of)
        case TooFine(column, _, step):
            if not kind.startswith("TIME"):
                raise AuditError(f"{column} is {kind}, which is no time")
            # What has no end has no digits either.
            finite = f"isfinite({name}) AND " if kind.startswith("TIMESTAMP") else ""
            return f"{finite}epoch_us({name}) % {step} <> 0"
        case RepeatedItems(column):
            if not kind.endswith("]"):
                raise AuditError(f"{column} is {kind}, which is no array")
            # list_unique() leaves nulls out; several nulls are one item that repeats.
            nulls = f"least(len({name}) - list_count({name}), 1)"
            return f"list_unique({name}) + {nulls} <> len({name})"


def size(name: str, kind: str) -> str:
    """Return the length of an array, or of the text that people see."""
    if kind.endswith("]"):
        return f"len({name})"
    if kind == "VARCHAR":
        return f"length({name})"
    if kind == "BLOB":
        return f"octet_length({name})"
    if base(kind) in {"UUID", "ENUM", "JSON"}:
        return f"length(CAST({name} AS VARCHAR))"
    raise AuditError(f"{name.strip(chr(34))} is {kind}, which has no length")


def literal(text: str) -> str:
    """Return a text as a literal of SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def no_multiple(name: str, kind: str, of: float | Decimal) -> str:
    """Return the condition that a number is no multiple of another.

    >>> no_multiple('"seats"', "INTEGER", 2.5)
    '"seats" % 5 <> 0'
    """
    factor = number(of) or Decimal(1)
    if base(kind) in FLOATS:
        return _float_no_multiple(name, kind, factor)
    scale = int(kind[8:-1].split(",")[1]) if kind.startswith("DECIMAL(") else 0
    # Of n/10^scale and a fraction p/q, whole numbers alone remain to be divided.
    whole = (Fraction(factor) * 10**scale).numerator
    if whole > _LARGEST:
        return f"{name} <> 0"
    units = name if not scale else _units(name, kind)
    return f"{units} % {whole} <> 0"


def _float_no_multiple(name: str, kind: str, factor: Decimal) -> str:
    """Return the condition that a float is not the one next to a multiple, nor near by the dust.

    0.3 is three times 0.1, though not to the last bit; 0.1 + 0.2 is too. From 2^53 steps on
    neighbouring floats are further apart than the steps.
    """
    fraction, bits = Fraction(factor), 24 if kind == "FLOAT" else 53
    top, bottom = (f"CAST('{part}' AS DOUBLE)" for part in fraction.as_integer_ratio())
    step = f"CAST('{factor}' AS DOUBLE)"
    value = f"CAST(CAST({name} AS VARCHAR) AS DOUBLE)" if kind == "FLOAT" else name
    near = f"(round({value} * {bottom} / {top}) * {top} / {bottom})"
    most = min(2**bits * factor, _DOUBLE_MOST)
    return (
        f"CASE WHEN {name} IS NULL THEN false WHEN NOT isfinite({name}) THEN true "
        f"WHEN abs({value}) >= CAST('{most}' AS DOUBLE) THEN false "
        f"ELSE TRY_CAST({near} AS {kind}) IS DISTINCT FROM {name} "
        f"AND abs({value} - {near}) > {_NEARLY} * {step} END"
    )


def _units(name: str, kind: str) -> str:
    """Return a decimal as the whole number of its last digits."""
    width, scale = (int(part) for part in kind[8:-1].split(","))
    if width <= _PLAIN_DIGITS:
        # In a wider decimal: 18 digits times 100 have 20.
        return f"CAST(CAST({name} AS DECIMAL(38,{scale})) * {10**scale} AS HUGEINT)"
    return f"CAST(replace(CAST({name} AS VARCHAR), '.', '') AS HUGEINT)"
