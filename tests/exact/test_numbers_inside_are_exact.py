"""A number in a list or an object is compared with the contract's number itself."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from helpers import a_product, run, write_workspace
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.spec.read.column.compared import compared

KINDS = {"BIGINT": (18, 0), "HUGEINT": (37, 0), "DECIMAL(38,0)": (37, 0), "DECIMAL(38,2)": (36, 2),
         "DECIMAL(38,37)": (1, 37), "DECIMAL(18,4)": (14, 4), "DECIMAL(5,5)": (0, 5)}  # fmt: skip
CON = duckdb.connect()
SIGNS = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__", "=": "__eq__"}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, Decimal, Decimal]:
    """A type, a value of it, and a bound that is the value or next to it."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    before, places = KINDS[kind]
    most = 10 ** (before + places) - 1
    near = st.sampled_from([0, 1, most, 10**places, 2**53, 2**53 * 10**places, most // 3])
    units = draw(st.integers(-most, most) | st.builds(int.__add__, near, st.integers(-2, 2)))
    units = max(-most, min(most, units))
    beside = draw(st.sampled_from(["0", "0.5", "-0.5", "1", "-1", "0.001", "-1e-40", "1e40"]))
    scale = Fraction(1, 10**places)
    bound = (Fraction(units) + Fraction(Decimal(beside))) * scale
    return kind, exactly(Fraction(units) * scale), exactly(bound)


def exactly(number: Fraction) -> Decimal:
    """Return a fraction of a power of ten with all of its digits."""
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    return Decimal(f"{(number * 10**places).numerator}e-{places}")


@settings(max_examples=300, deadline=None)
@given(pair=pairs(), sign=st.sampled_from(sorted(SIGNS)))
def test_every_sign_says_what_fractions_say(pair: tuple[str, Decimal, Decimal], sign: str):
    kind, value, bound = pair
    CON.execute(f"CREATE OR REPLACE TABLE t AS SELECT ['{value:f}'::{kind}, NULL] AS v")
    query = f"SELECT list_transform(v, lambda x: {compared('x', sign, bound)}) FROM t"
    [(found,)] = CON.execute(query).fetchall()
    right = getattr(Fraction(value), SIGNS[sign])(Fraction(bound))
    assert found == [right, None]


@settings(max_examples=100, deadline=None)
@given(
    value=st.floats(allow_nan=False) | st.sampled_from([0.1, 0.3, 2.0**53]),
    bound=st.sampled_from(["0.1", "0.3", "-5", "9007199254740993", "1e300"]).map(Decimal),
    sign=st.sampled_from(sorted(SIGNS)),
)
def test_a_double_is_compared_with_the_double_next_to_the_bound(value, bound, sign):
    CON.execute("CREATE OR REPLACE TABLE t AS SELECT [$1::DOUBLE] AS v", [value])
    query = f"SELECT list_transform(v, lambda x: {compared('x', sign, bound)}) FROM t"
    [(found,)] = CON.execute(query).fetchall()
    assert found == [getattr(value, SIGNS[sign])(float(bound))]


LIST = (
    "{{name: v, logicalType: array, items: {{logicalType: {logical}, physicalType: '{kind}', "
    "{demand}}}}}"
)
STRUCT = (
    "{{name: v, logicalType: object, properties: [{{name: a, logicalType: {logical}, "
    "physicalType: '{kind}', {demand}}}]}}"
)
MOST = "123456789012345678901234567890123456"
CASES = [
    ("number", "DECIMAL(38,2)", "logicalTypeOptions: {minimum: 0.1}", ["0.1", MOST], ["0.09"]),
    ("number", "DECIMAL(38,2)", "logicalTypeOptions: {exclusiveMinimum: 0.1}", ["0.11"], ["0.1"]),
    (
        "number", "DECIMAL(38,2)", f"logicalTypeOptions: {{maximum: {MOST}.5}}",
        [f"{MOST}.5"], [f"{MOST}.51"],
    ),
    (
        "integer", "BIGINT", "logicalTypeOptions: {maximum: 9007199254740992.5}",
        ["9007199254740992"], ["9007199254740993"],
    ),
    (
        "number", "DECIMAL(38,1)", "enum: [{value: 9007199254740993.5}, {value: 1}]",
        ["9007199254740993.5", "1"], ["9007199254740993.4"],
    ),
    (
        "integer", "BIGINT", "enum: [{value: 9007199254740993}, {value: 0.5}]",
        ["9007199254740993"], ["9007199254740992"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("form", ["list", "struct"])
def test_a_neighbour_of_the_bound_is_told_from_it(tmp_path: Path, case, form: str):
    logical, kind, demand, good, bad = case
    shape, made = (LIST, "[{}]") if form == "list" else (STRUCT, "{{'a': {}}}")
    column = shape.format(logical=logical, kind=kind, demand=demand)
    values = [made.format(f"'{one}'::{kind}") for one in (*good, *bad)]
    rows = " union all ".join(f"select {one} as v" for one in values)
    built = a_product({"p": [column]}, files={"p.sql": rows})
    report = run(write_workspace(tmp_path, {"d": {"p": built}}), "d.p")
    failed = [one.observed for one in report.results if one.outcome != "passed"]
    assert failed == [len(bad)]
