"""Of generated rows and bounds: which remain, which are set aside and why, by plain Python."""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from aside_cases import aside, rows_aside
from helpers import a_contract, a_product, environment, read, run, write_workspace
from hypothesis import given, settings

from dataops_mesh.store.manifest import read_manifest

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
Row = tuple[int, float | None, str | None]
AMOUNTS = (0.0, 100.0, 100.5, -0.5, 50.0, math.nan, math.inf, -math.inf, None)
CODES = ("AB", "ab", "A", "ABC", "", "NA", None)
BREAKS: dict[str, Callable[[Row], bool]] = {
    "amount_required": lambda row: row[1] is None,
    "amount_range": lambda row: row[1] is not None and not 0 <= row[1] <= 100,
    "code_pattern": lambda row: row[2] is not None and not re.search("^[A-Z]+$", row[2]),
    "code_length": lambda row: row[2] is not None and len(row[2]) > 2,
    "code_missing": lambda row: row[2] in (None, "NA"),
    "dear": lambda row: row[1] is not None and (row[1] > 50 or row[1] != row[1]) and row[2] == "AB",
}
BOUNDS = {
    "amount": ("amount_required", "amount_range"),
    "code": ("code_pattern", "code_length"),
    "code_missing": ("code_missing",),
    "dear": ("dear",),
}

rows = st.lists(st.tuples(st.sampled_from(AMOUNTS), st.sampled_from(CODES)), max_size=9).map(
    lambda pairs: [(number, *pair) for number, pair in enumerate(pairs)]
)
bounds = st.one_of(
    st.integers(1, 9).map(lambda n: f"{n} rows"),
    st.sampled_from(("100%", "50%", "33.3%", "25%", "12.5%", "11.2%", "99.999999999999%")),
)


def contract(most: dict[str, str]) -> str:
    missing = (
        "{name: code_missing, metric: missingValues, arguments: {missingValues: [NA]}, "
        f"mustBe: 0, {aside(most['code_missing'])}}}"
    )
    dear = (
        "{name: dear, type: sql, query: \"select count(*) from {object} where amount > 50 and code = 'AB'\", "
        f"mustBe: 0, {aside(most['dear'])}}}"
    )
    columns = [
        "{name: id, logicalType: integer, primaryKey: true}",
        (
            f"{{name: amount, logicalType: number, required: true, logicalTypeOptions: {{minimum: 0, "
            f"maximum: 100}}, {aside(most['amount'])}}}"
        ),
        (
            f"{{name: code, logicalType: string, logicalTypeOptions: {{pattern: '^[A-Z]+$', "
            f"maxLength: 2}}, quality: [{missing}], {aside(most['code'])}}}"
        ),
    ]
    return a_contract("orders", columns, dear)


def as_sql(found: list[Row]) -> str:
    lines = [
        f"({number}, {'null' if amount is None else repr(str(amount))}::double, "
        f"{'null' if code is None else repr(code)}::varchar)"
        for number, amount, code in found
    ]
    if not lines:
        return "select 1::bigint as id, 1::double as amount, 'A' as code where false"
    return f"select * from (values {', '.join(lines)}) as t(id, amount, code)"


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@settings(max_examples=150 if LONG else 12, deadline=None)
@given(rows, st.fixed_dictionaries(dict.fromkeys(BOUNDS, bounds)))
def test_every_row_is_on_one_side(found: list[Row], most: dict[str, str]):
    why = {row[0]: [name for name, breaks in BREAKS.items() if breaks(row)] for row in found}
    remaining = [row for row in found if not why[row[0]]]
    out = [(*row, why[row[0]]) for row in found if why[row[0]]]
    held = all(within(most[name], rules, why) for name, rules in BOUNDS.items())
    with tempfile.TemporaryDirectory() as folder:
        made = a_product({"orders": contract(most)}, files={"orders.sql": as_sql(found)})
        place = write_workspace(Path(folder), {"shop": {"orders": made}})
        report = run(place, "shop.orders")
        assert report.published is (held and bool(remaining)), report.decision
        assert (report.rows, report.set_aside) == (len(remaining), len(out))
        assert same([(*row[:3], sorted(row[3])) for row in rows_aside(place, report)],
                    [(*row[:3], sorted(row[3])) for row in out])  # fmt: skip
        (one,) = read_manifest(environment(place).store, report.candidate).quarantines
        assert dict(one.rules) == {
            name: sum(name in names for names in why.values()) for name in BREAKS
        }
        if report.published:
            assert same(read(place, "from shop.orders order by id"), remaining)


def within(most: str, rules: tuple[str, ...], why: dict[int, list[str]]) -> bool:
    """Tell whether no more rows break any of the rules than the bound says."""
    broken = sum(not set(rules).isdisjoint(names) for names in why.values())
    if most.endswith("%"):
        return not why or Fraction(100 * broken, len(why)) <= Fraction(most[:-1])
    return broken <= int(most.split(maxsplit=1)[0])
