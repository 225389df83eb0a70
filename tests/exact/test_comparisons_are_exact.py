"""Bounds, sets, thresholds and expectations judge the value itself, not the float next to it."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from helpers import a_contract, a_product, run, write_workspace
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import Location
from dataops_mesh.quality import Relation, audit
from dataops_mesh.spec.checks.check import Check, CheckResult, Stage
from dataops_mesh.spec.checks.measures import (
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
)
from dataops_mesh.spec.model import ZERO, Address, Operator, Severity, Threshold, Unit

PORT = Address("d", "p")


def a_check(measure: Measure, threshold: Threshold = ZERO, name: str = "c") -> Check:
    where = Location("x", 1)
    return Check(name, PORT, "d.p", measure, threshold, Severity.ERROR, Stage.OUTPUT, where, name)


def results(rows: str, *checks: Check) -> tuple[CheckResult, ...]:
    """Audit `SELECT ...` as a relation."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE SCHEMA d; CREATE VIEW d.p AS {rows}")
        return audit(connection, Relation("d", "p", ("v",)), checks, candidate="c")


def counted(rows: str, measure: Measure) -> int | float | str | None:
    (result,) = results(rows, a_check(measure))
    assert result.observed is not None, result.reason
    return result.observed


WHOLE = st.one_of(
    st.integers(-3, 3), st.integers(2**53 - 2, 2**53 + 2), st.integers(2**63 - 3, 2**63 - 1)
)
BOUNDS = st.one_of(
    WHOLE,
    st.sampled_from([0.5, -0.5, 2.0**53, 1e30, -1e30, 2**63, 2**64, -(2**63) - 1]),
    st.sampled_from(["0.5", "9007199254740992.5", "1e-30"]).map(Decimal),
)
KINDS = {"BIGINT": 1, "HUGEINT": 1, "DECIMAL(38,2)": 100, "DECIMAL(21,1)": 10}


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(WHOLE, min_size=1, max_size=6),
    low=st.none() | BOUNDS,
    high=st.none() | BOUNDS,
    ends=st.tuples(st.booleans(), st.booleans()),
    kind=st.sampled_from(sorted(KINDS)),
)
def test_a_range_judges_every_number_exactly(values, low, high, ends, kind):
    exact = [Fraction(b) if not isinstance(b, float) else Fraction(repr(b)) if b is not None else 0
             for b in (low, high) if b is not None]  # fmt: skip
    if (low is None and high is None) or (len(exact) == 2 and exact[0] > exact[1]):
        return
    bottom = exact[0] if low is not None else None
    top = exact[-1] if high is not None else None
    open_low, open_high = ends
    bad = [
        v for v in values
        if (bottom is not None and (v < bottom or (open_low and v == bottom)))
        or (top is not None and (v > top or (open_high and v == top)))
    ]  # fmt: skip
    rows = " UNION ALL ".join(f"SELECT {v}::{kind} AS v" for v in values)
    bounds = Range("v", low, high, exclusive_minimum=open_low, exclusive_maximum=open_high)
    assert counted(rows, bounds) == len(bad)


ONE = {
    "an integer above 2^53": ("SELECT 9007199254740993 AS v", Range("v", None, 9007199254740992), 1),
    "a half is no whole number": ("SELECT 1 AS v", OutsideSet("v", (1.5, 2)), 1),
    "a sentinel in a FLOAT": ("SELECT -9.9::FLOAT AS v", Missing("v", (-9.9,)), 1),
    "a FLOAT at its bound": ("SELECT 0.3::FLOAT AS v", Range("v", None, 0.3), 0),
    "a FLOAT above its bound": ("SELECT 0.31::FLOAT AS v", Range("v", None, 0.3), 1),
    "a bound no FLOAT has": ("SELECT 1::FLOAT AS v", Range("v", None, 1e300), 0),
    "the largest FLOAT at its bound": (
        "SELECT 3.4028235e38::FLOAT AS v",
        Range("v", None, 3.4028235e38, exclusive_maximum=True),
        1,
    ),
    "a bound above the largest FLOAT": (
        "SELECT 3.4028235e38::FLOAT AS v",
        Range("v", None, 3.5e38, exclusive_maximum=True),
        0,
    ),
    "infinity is no large number": ("SELECT 'inf'::FLOAT AS v", Missing("v", (3.5e38,)), 0),
    "NaN with a minimum": ("SELECT 'nan'::DOUBLE AS v", Range("v", 0, None), 1),
    "NaN with a maximum": ("SELECT 'nan'::FLOAT AS v", Range("v", None, 9), 1),
    "infinity without a maximum": ("SELECT 'inf'::DOUBLE AS v", Range("v", 0, None), 0),
    "a time of day": ("SELECT TIME '17:00:01' AS v", Range("v", "09:00:00", "17:00:00"), 1),
    "a time of day inside": ("SELECT TIME '17:00:00' AS v", Range("v", "09:00", "17:00"), 0),
    "a time with a zone after Z": ("SELECT '17:00:01+00'::TIMETZ AS v", Range("v", None, "17:00:00Z"), 1),
    "a time with a zone at Z": ("SELECT '18:00:00+01'::TIMETZ AS v", Range("v", None, "17:00:00Z"), 0),
    "a plain time after an offset": ("SELECT TIME '16:00' AS v", Range("v", None, "17:00:00+02:00"), 1),
    "a plain time within an offset": ("SELECT TIME '15:30' AS v", Range("v", "17:00+02:00", None), 0),
    "an endless timestamp": ("SELECT TIMESTAMP 'infinity' AS v", Range("v", None, "9999-12-31"), 1),
    "a date before Christ": ("SELECT DATE '0044-03-15 (BC)' AS v", Range("v", "0001-01-01", None), 1),
    "the length of a UUID": ("SELECT uuid() AS v", Length("v", 36, 36), 0),
    "the length of JSON": ("""SELECT '{"a":1}'::JSON AS v""", Length("v", None, 6), 1),
    "the length of empty text": ("SELECT '' AS v", Length("v", 1, None), 1),
    "a text in JSON": ("""SELECT '"NA"'::JSON AS v""", Missing("v", ("NA",)), 1),
    "an enum": ("SELECT 'a'::ENUM('a', 'b') AS v", OutsideSet("v", ("b",)), 1),
    "a UUID in a set": (
        "SELECT '5E0E3D1C-7C2C-4B0E-9F0A-0123456789AB'::UUID AS v",
        OutsideSet("v", ("5e0e3d1c-7c2c-4b0e-9f0a-0123456789ab",)),
        0,
    ),
    "a cent": ("SELECT 12345678901234567890.015::DECIMAL(38,3) AS v", NotMultiple("v", 0.01), 1),
    "cents": ("SELECT 12345678901234567890.01::DECIMAL(38,3) AS v", NotMultiple("v", 0.01), 0),
    "keys of nothing but nulls": (
        "SELECT NULL::INT AS v, NULL::INT AS w FROM range(2)",
        Duplicates(("v", "w")),
        0,
    ),
    "keys that are half null": (
        "SELECT 1 AS v, NULL::INT AS w FROM range(2)",
        Duplicates(("v", "w")),
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE)
def test_a_value_is_judged_as_it_is(case: str):
    rows, measure, bad = ONE[case]
    assert counted(rows, measure) == bad


THRESHOLDS = [
    ("SELECT 9007199254740993", "mustBe", 9007199254740992, False, "9007199254740993"),
    ("SELECT 9007199254740993", "mustBe", 9007199254740993, True, "9007199254740993"),
    ("SELECT sum(v) FROM {object}", "mustBe", 2**70, True, str(2**70)),
    ("SELECT 0.3", "mustBe", 0.3, True, "0.3"),
    ("SELECT 0.3::FLOAT", "mustBeLessOrEqualTo", 0.3, True, "0.3"),
    ("SELECT 0.1::DOUBLE + 0.2", "mustBe", 0.3, False, "0.30000000000000004"),
    ("SELECT 0.12345678901234567891", "mustBe", Decimal("0.12345678901234567890"), False,
     "0.12345678901234567891"),
    ("SELECT true", "mustBe", 1, True, "1"),
    ("SELECT 'inf'::DOUBLE", "mustBeGreaterThan", 10**30, True, "inf"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "operator", "value", "holds", "shown"), THRESHOLDS)
def test_a_rule_compares_the_very_number(query, operator, value, holds, shown):
    threshold = Threshold(Operator(operator), value)
    (result,) = results(f"SELECT {2**70} AS v", a_check(Query(query), threshold))
    assert (result.outcome == "passed", f"the query returned {shown};" in result.reason) == (
        holds,
        True,
    )
    assert threshold.holds(result.observed) == holds  # what the gate asks once more


SHARES = [
    ("mustBeLessOrEqualTo", "33.3333333333333333", False),
    ("mustBeLessOrEqualTo", "33.33333333333333333333333333333333333333333334", True),
    ("mustBe", "33.333333333333336", False),
    ("mustBeLessThan", "33.4", True),
]


@pytest.mark.parametrize(("operator", "value", "holds"), SHARES)
def test_a_share_is_compared_exactly(operator: str, value: str, holds: bool):  # noqa: FBT001
    threshold = Threshold(Operator(operator), Decimal(value), Unit.PERCENT)
    rows = "SELECT unnest([NULL, 1, 2]) AS v"
    (result,) = results(rows, a_check(Nulls("v"), threshold))
    assert (result.outcome == "passed") == holds
    assert "33.3333 percent" in result.reason
    assert threshold.holds(result.observed) == holds  # what the gate asks once more


GX = "expect_column_"
EXPECTED = {
    "between, NaN": (f"{GX}values_to_be_between", {"column": "v", "min_value": 0}, "'nan'::DOUBLE", "1", 1),
    "between, 2^53": (f"{GX}values_to_be_between", {"column": "v", "max_value": 2**53}, str(2**53 + 1), "1", 1),
    "max, 2^53": (f"{GX}max_to_be_between", {"column": "v", "max_value": 2**53}, str(2**53 + 1), "1", 1),
    "sum, 2^60": (f"{GX}sum_to_be_between", {"column": "v", "min_value": 2**60}, str(2**60 - 1), "1", 1),
    "min, NaN": (f"{GX}min_to_be_between", {"column": "v", "min_value": 0}, "unnest(['nan'::DOUBLE, 1])", "1", 1),
    "mean of nothing": (f"{GX}mean_to_be_between", {"column": "v", "min_value": 0}, "NULL::INT", "1", 1),
    "a > b, null": (
        f"{GX}pair_values_a_to_be_greater_than_b",
        {"column_A": "v", "column_B": "w", "ignore_row_if": "neither"}, "NULL::INT", "1", 1,
    ),
    "a > b, null left out": (
        f"{GX}pair_values_a_to_be_greater_than_b",
        {"column_A": "v", "column_B": "w", "ignore_row_if": "either_value_is_missing"}, "NULL::INT", "1", 0,
    ),
    "NaN > b": (
        f"{GX}pair_values_a_to_be_greater_than_b", {"column_A": "v", "column_B": "w"}, "'nan'::DOUBLE", "1", 1,
    ),
    "NaN >= NaN": (
        f"{GX}pair_values_a_to_be_greater_than_b",
        {"column_A": "v", "column_B": "w", "or_equal": True}, "'nan'::FLOAT", "'nan'::FLOAT", 1,
    ),
    "a > NaN": (
        f"{GX}pair_values_a_to_be_greater_than_b", {"column_A": "v", "column_B": "w"}, "1", "'nan'::DOUBLE", 1,
    ),
    "infinity > b": (
        f"{GX}pair_values_a_to_be_greater_than_b", {"column_A": "v", "column_B": "w"}, "'inf'::DOUBLE", "1", 0,
    ),
    "a day > a day": (
        f"{GX}pair_values_a_to_be_greater_than_b",
        {"column_A": "v", "column_B": "w"}, "DATE '2026-01-02'", "DATE '2026-01-01'", 0,
    ),
    "compound, never": (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["v", "w"], "ignore_row_if": "never"}, "unnest([NULL::INT, NULL])", "1", 1,
    ),
    "compound, a null left out": (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["v", "w"], "ignore_row_if": "any_value_is_missing"},
        "unnest([NULL::INT, NULL])", "1", 0,
    ),
    "a sum of columns": (
        "expect_multicolumn_sum_to_equal", {"column_list": ["v", "w"], "sum_total": 0.3}, "0.1", "0.2", 0,
    ),
    "in a set of floats": (f"{GX}values_to_be_in_set", {"column": "v", "value_set": [0.3]}, "0.3::FLOAT", "1", 0),
    "a set that no cell can equal, of no values": (
        f"{GX}distinct_values_to_be_in_set",
        {"column": "v", "value_set": [0.001]}, "NULL::DECIMAL(18,2)", "1", 0,
    ),
    "a set that no cell can equal": (
        f"{GX}distinct_values_to_be_in_set",
        {"column": "v", "value_set": [0.001]}, "0::DECIMAL(18,2)", "1", 1,
    ),
    "pairs of a set": (
        f"{GX}pair_values_to_be_in_set",
        {"column_A": "v", "column_B": "w", "value_pairs_set": [[None, 1]]}, "NULL::INT", "1", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPECTED)
def test_an_expectation_has_no_holes(case: str):
    name, given_, v, w, wrong = EXPECTED[case]
    expectation = GreatExpectation(name, json.dumps(given_))
    assert counted(f"SELECT {v} AS v, {w} AS w", expectation) == wrong


@pytest.mark.parametrize(
    ("seen", "fresh"), [("2099-01-01", False), ("infinity", False), ("2026-11-25 11:00", True)]
)
def test_a_future_value_does_not_refresh(tmp_path: Path, seen: str, fresh: bool):  # noqa: FBT001
    sla = "slaProperties: [{property: freshness, value: 2, unit: d, element: p.at}]\n"
    text = a_contract("p", ["{name: at, logicalType: timestamp}"], extra=sla)
    query = f"select unnest([timestamp '2020-01-01', timestamp '{seen}']) as at"
    settings = write_workspace(
        tmp_path,
        {"d": {"p": a_product({"p": text}, files={"p.sql": query})}},
        settings='now = "2026-11-25T12:00:00Z"\n',
    )
    (result,) = [r for r in run(settings, "d.p").results if r.check == "freshness"]
    assert (result.outcome == "passed") == fresh


def test_a_time_with_an_offset_is_that_moment():
    rows = "SELECT unnest([timetz '10:00:00+00', timetz '13:00:00+03', timetz '10:00:01+00']) AS v"
    noon = "12:00:00+02:00"
    assert counted(rows, Range("v", None, noon)) == 1
    assert counted(rows, Range("v", noon, None)) == 0
    assert counted(rows, Range("v", None, noon, exclusive_maximum=True)) == 3
    assert counted(rows, OutsideSet("v", (noon,))) == 1
    assert counted(rows, Missing("v", ("10:00:00",))) == 2


@pytest.mark.parametrize("bound", [2**53, 2**53 + 1, 2**53 + 2, 2**60 + 1, 5])
@pytest.mark.parametrize(
    "found", [2.0**53, 2.0**53 + 2, 2.0**60, 5.0, 4.5, float("inf"), -float("inf")]
)
def test_a_float_that_was_measured_is_no_whole_number_beside_it(found: float, bound: int):
    from dataops_mesh.spec.threshold import Operator, Threshold

    said = {
        Operator.BE: found == bound,  # as Python compares them: exactly
        Operator.NOT_BE: found != bound,
        Operator.LESS: found < bound,
        Operator.LESS_OR_EQUAL: found <= bound,
        Operator.GREATER: found > bound,
        Operator.GREATER_OR_EQUAL: found >= bound,
    }
    assert {sign: Threshold(sign, bound).holds(found) for sign in said} == said
    assert Threshold(Operator.BETWEEN, (bound, bound)).holds(found) is (found == bound)
    assert not Threshold(Operator.BE, bound).holds(float("nan"))
