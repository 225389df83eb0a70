"""The work of the first three questions: one product of order lines, twenty expectations.

Written down once; every contestant says it in its own words. Standard library only, because
contestants may live in an environment of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SELECT = """\
select
    l_orderkey as order_key, l_linenumber as line_number, l_partkey as part_key,
    l_suppkey as supplier_key, l_quantity as quantity, l_extendedprice as price,
    l_discount as discount, l_tax as tax, l_extendedprice * (1 - l_discount) as revenue,
    l_returnflag as return_flag, l_linestatus as line_status, l_shipdate as shipped,
    l_receiptdate as received, l_shipmode as ship_mode, l_shipinstruct as instruction,
    l_comment as comment
from {source}
"""
# Types by which outputs are compared, whoever wrote them.
TYPES = {
    "order_key": "BIGINT",
    "line_number": "BIGINT",
    "part_key": "BIGINT",
    "supplier_key": "BIGINT",
    "quantity": "DOUBLE",
    "price": "DOUBLE",
    "discount": "DOUBLE",
    "tax": "DOUBLE",
    "revenue": "DOUBLE",
    "return_flag": "VARCHAR",
    "line_status": "VARCHAR",
    "shipped": "TIMESTAMP",
    "received": "TIMESTAMP",
    "ship_mode": "VARCHAR",
    "instruction": "VARCHAR",
    "comment": "VARCHAR",
}


@dataclass(frozen=True)
class Expectation:
    """One expectation, without a contestant's words.

    Args:
        kind: rows, known, unique, range, member, length, pattern or after.
        columns: what it reads.
        low: the lower bound, inclusive.
        high: the upper bound, inclusive.
        values: the members of a set.
        pattern: a regular expression that the whole value matches.
        flaw: SQL that breaks it in one row of the flawed data: column = expression.
    """

    name: str
    kind: str
    columns: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def column(self) -> str:
        """Return the only or first column."""
        return self.columns[0]


def _known(column: str) -> Expectation:
    return Expectation(f"{column}_known", "known", (column,))


def _range(column: str, low: float, high: float) -> Expectation:
    return Expectation(f"{column}_range", "range", (column,), low, high)


def _member(column: str, *values: str) -> Expectation:
    return Expectation(f"{column}_member", "member", (column,), values=values)


EXPECTATIONS = (
    Expectation("rows", "rows", low=100),
    _known("order_key"),
    _known("line_number"),
    _known("part_key"),
    _known("supplier_key"),
    _known("quantity"),
    _known("shipped"),
    Expectation("key_unique", "unique", ("order_key", "line_number")),
    _range("quantity", 1, 50),
    _range("price", 0, 1_000_000),
    _range("discount", 0, 0.1),
    _range("tax", 0, 0.08),
    _range("revenue", 0, 1_000_000),
    _member("return_flag", "A", "N", "R"),
    _member("line_status", "F", "O"),
    _member("ship_mode", "AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"),
    _member("instruction", "COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"),
    Expectation("comment_length", "length", ("comment",), 1, 44),
    Expectation("ship_mode_pattern", "pattern", ("ship_mode",), pattern="^[A-Z ]+$"),
    Expectation("received_after_shipped", "after", ("received", "shipped")),
)
# What the flawed data break; only there, so that every contestant must find it by looking.
FLAWS = {
    "quantity_known": "l_quantity = NULL",
    "supplier_key_known": "l_suppkey = NULL",
    "shipped_known": "l_shipdate = NULL",
    "key_unique": "l_orderkey = 1, l_linenumber = 1",
    "quantity_range": "l_quantity = 51",
    "price_range": "l_extendedprice = -1",
    "discount_range": "l_discount = 0.11",
    "tax_range": "l_tax = 0.09",
    "return_flag_member": "l_returnflag = 'X'",
    "instruction_member": "l_shipinstruct = 'BURN'",
    "ship_mode_pattern": "l_shipmode = 'mule'",
    "comment_length": "l_comment = repeat('x', 45)",
    "received_after_shipped": "l_receiptdate = l_shipdate - INTERVAL 1 DAY",
}
# A wrong price is a wrong revenue, a wrong ship mode is no member of the set.
BROKEN = frozenset({*FLAWS, "revenue_range", "ship_mode_member"})


def offending(one: Expectation) -> str:
    """Return the SQL that is true for an offending row; keys and rows have none."""
    column = one.column
    match one.kind:
        case "known":
            return f"{column} IS NULL"
        case "range":
            return f"{column} < {one.low} OR {column} > {one.high}"
        case "member":
            return f"{column} NOT IN ({', '.join(map(repr, one.values))})"
        case "length":
            return f"length({column}) < {one.low} OR length({column}) > {one.high}"
        case "pattern":
            return f"NOT regexp_matches({column}, '{one.pattern}')"
        case "after":
            return f"{one.columns[0]} <= {one.columns[1]}"
    raise ValueError(one.kind)


def verdicts(unexpected: dict[str, int]) -> dict[str, bool]:
    """Return pass or fail for each expectation, from its number of offending rows or keys."""
    return {one.name: unexpected[one.name] == 0 for one in EXPECTATIONS}


def answer(output: str, passed: dict[str, bool]) -> dict[str, Any]:
    """Return what a contestant answers: where its output is, and its verdicts.

    Args:
        output: a relation that DuckDB can read in an empty database, or nothing.
        passed: for each expectation.
    """
    missing = {one.name for one in EXPECTATIONS} ^ set(passed)
    if missing:
        raise ValueError(f"not the twenty expectations: {sorted(missing)}")
    return {"output": output, "passed": passed}
