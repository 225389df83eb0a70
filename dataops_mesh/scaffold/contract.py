"""An ODCS contract of what was measured."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.errors import Problem, SourceError
from dataops_mesh.scaffold.classes import Classes
from dataops_mesh.scaffold.columns import property_of
from dataops_mesh.scaffold.documents import contract, setting
from dataops_mesh.scaffold.guess import classification, code_pattern, text_format
from dataops_mesh.scaffold.measure import Measured, Relation, measure
from dataops_mesh.scaffold.text import CONFIRM, Short
from dataops_mesh.spec.names import is_name
from dataops_mesh.spec.types.formats import TEXT

if TYPE_CHECKING:
    import duckdb

HEAD = """\
Made of {rows:,} rows of {origin}: types, nulls and values as they are there, and of 30 rows and
more ranges, rounded outwards to two digits. Make them what you promise: what is not kept is not
published. A class marked as a guess is one: confirm it (public, internal, confidential,
restricted)."""
_WIDE = frozenset({"HUGEINT", "UBIGINT", "UHUGEINT"})
_GUESSED = Classes()
ENOUGH = 30  # rows of which a range is proposed
_DIGITS = 2
_PLAIN = 10  # powers of ten between which a float is a number that people write


def measured_contract(  # noqa: PLR0913 - the rows, and what the contract is of
    con: duckdb.DuckDBPyConnection,
    relation: str,
    domain: str,
    port: str,
    *,
    source: bool = False,
    classes: Classes = _GUESSED,
) -> tuple[dict[str, Any], Relation]:
    """Return the document of a contract that the rows keep, and what was measured.

    Args:
        con: the session.
        relation: the view or table, quoted.
        domain: of the port.
        port: the name of the output or input port.
        source: of a source: types and keys only, for tomorrow's delivery has other values.
        classes: what the contracts of what was read say of the columns.

    Raises:
        SourceError: a column that no contract can say.
    """
    found = measure(con, relation)
    names = column_names([one.name for one in found.columns])
    columns = [
        _column(one, names[one.name], found, _holds(con, relation, one), classes, source=source)
        for one in found.columns
    ]
    document = contract(domain, port, columns, source=source)
    if not found.rows:
        document["customProperties"] = [setting("allowEmpty", value=True)]
        return document, found
    rules = [Short(id="enough_rows", metric="rowCount", mustBeGreaterThan=found.rows // 2)]
    if source and len(found.key) > 1:
        keys = [names[name] for name in found.key]
        rule = {"id": "rows_arrive_once", "metric": "duplicateValues"}
        rules.append(Short(**rule, arguments={"properties": keys}, mustBe=0))
    document["schema"][0]["quality"] = rules
    return document, found


def column_names(found: list[str]) -> dict[str, str]:
    """Return the name of each column in a contract: lower-case words, each once.

    >>> column_names(["Tail Num", "tail_num", "2nd"])
    {'Tail Num': 'tail_num', 'tail_num': 'tail_num_2', '2nd': 'column_2nd'}
    """
    names: dict[str, str] = {}
    for name in found:
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
        made = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
        plain = made if is_name(made) else f"column_{made}".rstrip("_")
        free, number = plain, 1
        while free in names.values():
            number += 1
            free = f"{plain}_{number}"
        names[name] = free
    return names


def _column(  # noqa: PLR0913 - what was measured, and what is known beside it
    one: Measured,
    name: str,
    found: Relation,
    holds: Callable[[str], bool],
    classes: Classes,
    *,
    source: bool,
) -> dict[str, Any]:
    column = typed(one.type, name)
    if "logicalTypeOptions" in column:
        column["logicalTypeOptions"] = Short(column["logicalTypeOptions"])
    if source and name != one.name:
        column["physicalName"] = one.name
    is_key = one.name in found.key
    if is_key and (not source or len(found.key) == 1):
        column |= {"unique": True} if source else {"primaryKey": True}
        if len(found.key) > 1:
            column["primaryKeyPosition"] = found.key.index(one.name) + 1
    if found.rows and not one.nulls:
        column["required"] = True
    known = classes.of(one.name)
    column["classification"] = known or classification(one, name) + CONFIRM
    if source or not classes.may_show(one.name):
        return column
    options = column.pop("logicalTypeOptions", {}) | _bounds(
        one, holds, ranged=_is_ranged(one, name, found)
    )
    if options:
        column["logicalTypeOptions"] = Short(options)
    if one.values:
        column["enum"] = [Short(value=value) for value in one.values]
    return column


def typed(kind: str, name: str) -> dict[str, Any]:
    """Return a column of DuckDB's type as a property of a contract.

    >>> typed("DECIMAL(9,2)", "amount")
    {'name': 'amount', 'logicalType': 'number', 'physicalType': 'DECIMAL(9,2)'}

    Raises:
        SourceError: no contract can say it.
    """
    found = property_of(name, kind)
    if found is None:
        what = f'the column "{name}" is a {kind}, which has no logicalType'
        raise SourceError(Problem(what, next=f"cast it: select {name}::varchar as {name}"))
    # Here are values, and they may need all of it.
    return {**found, "physicalType": kind} if kind in _WIDE else found


def _is_ranged(one: Measured, name: str, found: Relation) -> bool:
    """Tell whether the smallest and the largest number say anything of tomorrow's.

    Of a handful of rows they do not, nor do numbers that only tell rows apart.
    """
    is_key = one.name in found.key or name == "id" or name.endswith("_id")
    return found.rows >= ENOUGH and not is_key


def _bounds(one: Measured, holds: Callable[[str], bool], *, ranged: bool) -> dict[str, Any]:
    if one.low is not None and not isinstance(one.low, date | datetime):
        if not ranged:
            return {}
        low, high = outwards(one.low, up=False), outwards(one.high, up=True)
        return {} if low is None or high is None else {"minimum": low, "maximum": high}
    if one.lengths is None or one.values:
        return {}
    if (kind := text_format(one.sample)) and holds(TEXT[kind].pattern):
        return {"format": kind}
    if pattern := code_pattern(one, holds):
        return {"pattern": pattern}
    return {"minLength": 1} if one.lengths[0] else {}


def outwards(value: float | Decimal, *, up: bool) -> int | float | None:
    """Return a number of two digits beyond the value; zero stays zero.

    >>> outwards(1301, up=True), outwards(-43, up=False), outwards(2.7e-05, up=True)
    (1400, -43, 2.7e-05)
    >>> outwards(Decimal("10.004"), up=True), outwards(0, up=False)
    (11, 0)
    """
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact:
        return 0
    if not exact.is_finite() or (isinstance(value, float) and abs(exact.adjusted()) >= _PLAIN):
        return None
    step = Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1)
    rounded = (exact / step).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * step
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _holds(con: duckdb.DuckDBPyConnection, relation: str, one: Measured) -> Callable[[str], bool]:
    def holds(pattern: str) -> bool:
        column = sql.identifier(one.name)
        test = f"NOT regexp_matches({column}, {sql.literal(pattern)})"
        found = con.execute(f"SELECT count(*) FROM {relation} WHERE {test}").fetchone()
        return found is not None and not found[0]

    return holds
