"""Judges checks on an empty relation, to learn which could never run on its columns."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args

from dataops_mesh.quality.conditions import Conditional, condition
from dataops_mesh.quality.custom import named, own
from dataops_mesh.quality.loan import AUDITED, Loan, read_columns
from dataops_mesh.quality.measure import absent, columns_of
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import quote
from dataops_mesh.quality.values import base, is_number, is_text, number
from dataops_mesh.spec.checks.measures import GreatExpectation

if TYPE_CHECKING:
    import duckdb

    from dataops_mesh.quality.measure import Columns
    from dataops_mesh.spec.checks.check import Check
    from dataops_mesh.spec.checks.measures import Measure

_SECONDS = 60
_OF_TEXT = ("_match_regex", "_match_like_pattern")
_OF_NUMBERS = ("_stdev_", "_z_scores_", "_outliers", "_kl_divergence_")
_OF_TABLES = ("expect_table_", "expect_column_to_exist")
_KINDS: tuple[Any, ...] = get_args(Conditional)


def unjudged(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]
) -> Iterator[tuple[Check, str]]:
    """Yield the checks that could not run on the audited relation, and why.

    Args:
        connection: where the relation is an empty table of the audited name.
        checks: of that relation; queries are left to who binds them.
    """
    loan = Loan(connection, time.monotonic() + _SECONDS)
    columns = read_columns(loan, quote(AUDITED))
    for check in checks:
        missing = [name for name in columns_of(check.measure) if name not in columns]
        try:
            said = f"{absent(missing)} there" if missing else _judge(loan, check.measure, columns)
        except AuditError as error:
            said = str(error)
        if said:
            yield check, said


def _judge(loan: Loan, measure: Measure, columns: Columns) -> str:
    """Return why a measure makes no sense for the columns' types; nothing if it does.

    Raises:
        AuditError: with the reason, where the engine gives it.
    """
    if isinstance(measure, _KINDS):
        offending = condition(loan, measure, columns)
        loan.execute(f'SELECT count(*) FILTER ({offending}) FROM "{AUDITED}"')
        return ""
    if not isinstance(measure, GreatExpectation):
        return ""
    given = json.loads(measure.kwargs)
    if wrong := _strange(measure.type, given, columns):
        return wrong
    own(loan, measure.type, given, columns)
    return ""


def _strange(name: str, given: dict[str, Any], columns: Columns) -> str:
    """Return why the values of a set, or the expectation itself, are not for a column's type."""
    missing = [one for one in named(given) if one not in columns]
    if missing and not name.startswith(_OF_TABLES):
        return f"{absent(missing)} there"
    column = given.get("column")
    kind = columns.get(column or "", "")
    if kind and any(part in name for part in _OF_TEXT) and not is_text(kind):
        return f"{column} is {kind}, which is no text"
    if kind and any(part in name for part in _OF_NUMBERS) and not is_number(kind):
        return f"{column} is {kind}, which is no number"
    told = [(column, value) for value in given.get("value_set", ())]
    pair = (given.get("column_A"), given.get("column_B"))
    told += [one for row in given.get("value_pairs_set", ()) for one in zip(pair, row, strict=True)]
    for one, value in told:
        kind = columns.get(one or "", "")
        if kind and value is not None and not _is_of(kind, value):
            return f"a value of the set is no {base(kind)}, as {one} is; write text in quotes"
    return ""


def _is_of(kind: str, value: Any) -> bool:
    """Tell whether a value, as YAML reads it, can be one of a column's type."""
    if is_text(kind):
        return isinstance(value, str)
    if base(kind) == "BOOLEAN":
        return isinstance(value, bool)
    if is_number(kind):
        return not isinstance(value, bool) and number(value) is not None
    return True
