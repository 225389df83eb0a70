"""Means, multiples and floats of 32 bits: what a double cannot tell apart is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_contract, a_product, read, run, write_workspace

from dataops_mesh.gate import Publish
from dataops_mesh.run.report import Report
from dataops_mesh.settings import Settings


def publish(
    tmp_path: Path, query: str, column: str, *rules: str, extra: str = ""
) -> tuple[Settings, Report]:
    """Run a product of one column `v`."""
    text = a_contract("p", [f"{{name: v, {column}}}"], *rules, extra=extra)
    made = a_product({"p": text}, files={"p.sql": query})
    settings = write_workspace(tmp_path, {"d": {"p": made}}, settings=CLOCK)
    return settings, run(settings, "d.p")


CLOCK = 'now = "2026-11-25T12:00:00Z"\n'
BIG = 2**53 + 1
MEANS = {
    "select avg(v) from {object}": BIG,
    "select mean(v) as m from {object} where v > 0": BIG,
    "select avg(v) from p": BIG,
    "select avg(p.v) from d.p": BIG,
}


@pytest.mark.parametrize("query", MEANS)
@pytest.mark.parametrize("off", [0, 1])
def test_a_mean_of_whole_numbers_is_exact(tmp_path: Path, query: str, off: int):
    rule = f'{{type: sql, query: "{query}", mustBe: {MEANS[query] - off}}}'
    _, report = publish(tmp_path, f"select {BIG} as v", "logicalType: integer", rule)
    assert isinstance(report.decision, Publish) == (off == 0)


@pytest.mark.parametrize("name", ["mean", "median"])
@pytest.mark.parametrize("off", [0, 1])
def test_a_mean_of_an_expectation_is_exact(tmp_path: Path, name: str, off: int):
    made = f"{{type: expect_column_{name}_to_be_between, kwargs: {{column: v, max_value: {BIG - off}}}}}"
    rule = f"{{type: custom, engine: greatExpectations, implementation: {made}}}"
    query = f"select unnest([{BIG}, {BIG}, null]) as v"
    _, report = publish(tmp_path, query, "logicalType: integer", rule)
    assert isinstance(report.decision, Publish) == (off == 0)


def test_a_float_that_is_promised_as_a_number_is_the_number_people_read(tmp_path: Path):
    rule = "{metric: missingValues, arguments: {missingValues: [-9.9]}, mustBe: 1}"
    settings, report = publish(
        tmp_path, "select unnest([-9.9, 1.5])::float as v",
        f"logicalType: number, logicalTypeOptions: {{maximum: 1.5}}, quality: [{rule}]",
    )  # fmt: skip
    assert isinstance(report.decision, Publish)
    assert read(settings, "select typeof(v), v from d.p order by v") == [
        ("DOUBLE", -9.9), ("DOUBLE", 1.5)
    ]  # fmt: skip


MULTIPLES = {
    ("10000000001::double", "2"): False,
    ("12345678901234.56::double", "0.01"): True,
    ("12345678901234.56::double", "0.05"): False,
    ("0.1::double + 0.2::double", "0.1"): True,
    ("1e300::double", "3"): True,  # the doubles there are further apart
    ("9999999999999999.99::decimal(18,2)", "0.01"): True,
    ("9999999999999999.99::decimal(18,2)", "0.02"): False,
    ("0.7::float", "0.1"): True,
    ("0.75::float", "0.1"): False,
}


@pytest.mark.parametrize("case", MULTIPLES, ids=" of ".join)
def test_a_multiple_is_one_at_any_size(tmp_path: Path, case: tuple[str, str]):
    value, of = case
    physical = value.rpartition("::")[2].upper()
    column = (
        f'logicalType: number, physicalType: "{physical}", logicalTypeOptions: {{multipleOf: {of}}}'
    )
    _, report = publish(tmp_path, f"select {value} as v", column)
    assert isinstance(report.decision, Publish) == MULTIPLES[case]


SETS = {"be_in_set": (1, 2, 3), "contain_set": (1,), "equal_set": (1, 2)}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("off", [0, 7])
def test_a_set_of_huge_numbers_is_compared_exactly(tmp_path: Path, name: str, off: int):
    values = [10**37 + one + off for one in SETS[name]]
    made = f"{{type: expect_column_distinct_values_to_{name}, kwargs: {{column: v, value_set: {values}}}}}"
    rule = f"{{type: custom, engine: greatExpectations, implementation: {made}}}"
    query = f"select unnest([{10**37 + 1}, {10**37 + 2}, null]::hugeint[]) as v"
    _, report = publish(tmp_path, query, "logicalType: integer, physicalType: HUGEINT", rule)
    assert isinstance(report.decision, Publish) == (off == 0)


OFFSETS = {"2026-01-01T02:00:00+02:00": True, "2026-01-01T01:59:59+02:00": False}


@pytest.mark.parametrize("bound", OFFSETS)
def test_a_bound_with_an_offset_means_that_moment(tmp_path: Path, bound: str):
    column = f'logicalType: timestamp, logicalTypeOptions: {{minimum: "2025-12-31 23:00:00", maximum: "{bound}"}}'
    _, report = publish(tmp_path, "select timestamp '2026-01-01' as v", column)
    assert isinstance(report.decision, Publish) == OFFSETS[bound]


SAID = {
    "select null::timestamp as v": "there is no value of v up to now; the contract promises at most 48 hours",
    "select timestamp 'infinity' as v": "there is no value of v up to now",
    "select timestamp '2026-11-22 12:00' as v": "72 hours since the latest v; the contract promises at most 48 hours",
}


@pytest.mark.parametrize("query", SAID)
def test_freshness_is_said_in_the_words_of_the_promise(tmp_path: Path, query: str):
    sla = "slaProperties: [{property: freshness, value: 2, unit: d, element: p.v}]\n"
    column = "logicalType: timestamp, classification: public"
    _, report = publish(tmp_path, query, column, extra=sla)
    (result,) = [one for one in report.results if one.check == "freshness"]
    assert SAID[query] in result.reason


def test_freshness_that_may_not_be_shown_is_said_in_these_words_too(tmp_path: Path):
    sla = "slaProperties: [{property: freshness, value: 2, unit: d, element: p.v}]\n"
    query = "select timestamp '2026-11-25' as v"
    _, report = publish(tmp_path, query, "logicalType: timestamp", extra=sla)
    (result,) = [one for one in report.results if one.check == "freshness"]
    assert "the time since the latest v is within what the contract promises, at most 48 hours" in (
        result.reason
    )


LEVELS = {
    "latency of nulls": ("latency", "null::timestamp", "there is no value of v up to now; the"),
    "retention of nulls": ("retention", "null::timestamp", ""),
    "latency": ("latency", "timestamp '2026-11-25'", "12 hours since the latest v"),
    "retention": ("retention", "timestamp '2026-11-25'", "12 hours since the earliest v"),
    "kept since ever": (
        "retention", "unnest([timestamp '-infinity', '2026-11-25'])", "endless time since the",
    ),
    "kept for ever": ("retention", "timestamp 'infinity'", ""),
    "never late": ("latency", "timestamp '-infinity'", "there is no value of v up to now"),
    "from one to the other": (
        "v to w", "timestamp '2026-11-25'", "12 hours from v to w; the contract promises at most",
    ),
    "to the end of time": ("v to w", "timestamp '2026-11-25'", "endless time from v to w"),
    "from the beginning": ("v to w", "timestamp '-infinity'", "endless time from v to w"),
    "from what never begins": ("v to w", "timestamp 'infinity'", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", LEVELS)
def test_a_service_level_is_said_in_the_words_of_its_promise(tmp_path: Path, case: str):
    kind, value, words = LEVELS[case]
    end = "timestamp 'infinity'" if case == "to the end of time" else "timestamp '2026-11-25 12:00'"
    two = kind == "v to w"
    element = "'p.v, p.w'" if two else "p.v"
    kind = "latency" if two else kind
    sla = f"slaProperties: [{{property: {kind}, value: 1, unit: h, element: {element}}}]\n"
    columns = [f"{{name: {n}, logicalType: timestamp, classification: public}}" for n in "vw"]
    text = a_contract("p", columns, extra=sla)
    settings = write_workspace(
        tmp_path,
        {"d": {"p": a_product({"p": text}, files={"p.sql": f"select {value} as v, {end} as w"})}},
        settings='now = "2026-11-25T12:00:00Z"\n',
    )
    (result,) = [one for one in run(settings, "d.p").results if one.check == kind]
    assert (result.outcome == "passed") == (words == "")
    assert words in result.reason
