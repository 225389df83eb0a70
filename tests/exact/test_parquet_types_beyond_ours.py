"""Parquet files hold types that are wider than ours: each value is read as it is, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import a_contract, a_product, a_source, read, run, write_workspace

from dataops_mesh.errors import MeshError

KEY = "{name: k, logicalType: integer, primaryKey: true}"
FINE, WHOLE = 1_700_000_000_123_456_789, 1_700_000_000_123_456_000
# Beyond what 64 bits of nanoseconds count.
LATE = datetime.fromisoformat("9999-12-31T23:59:59.123456")
EARLY = datetime.fromisoformat("0001-01-01")
MOMENT = datetime.fromisoformat("2023-11-14T22:13:20.123456")


def _nano(*moments: int | None, zone: str | None = "UTC") -> pa.Array:
    return pa.array(moments, pa.timestamp("ns", zone))


LISTED = "{name: v, logicalType: array, items: {logicalType: timestamp}}"
WIDE = pa.decimal256(40, 2)
REFUSED: dict[str, tuple[pa.Array, str, str]] = {
    "a decimal of 40 digits": (
        pa.array([Decimal("12345.67"), None], WIDE),
        "{name: v, logicalType: number}",
        '"v" has decimals of 40 digits',
    ),
    "one in a struct": (
        pa.array([{"a": Decimal("1.5")}], pa.struct([("a", pa.decimal256(45, 1))])),
        "{name: v, logicalType: object, properties: [{name: a, logicalType: number}]}",
        '"v.a" has decimals of 45 digits',
    ),
    "one in a list": (
        pa.array([[Decimal("1.5")]], pa.list_(WIDE)),
        "{name: v, logicalType: array, items: {logicalType: number}}",
        '"v.list.element" has decimals of 40 digits',
    ),
    "nanoseconds with a zone": (
        _nano(WHOLE, None, FINE),
        "{name: v, logicalType: timestamp, logicalTypeOptions: {timezone: true}}",
        '"v" has moments with nanoseconds',
    ),
    "nanoseconds in a list": (
        pa.array([[WHOLE], None, [None, FINE]], pa.list_(pa.timestamp("ns", "Asia/Tokyo"))),
        LISTED,
        '"v.list.element" has moments with nanoseconds',
    ),
    "nanoseconds in a map": (
        pa.array([[("a", FINE)], None], pa.map_(pa.string(), pa.timestamp("ns", "UTC"))),
        "{name: v, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: timestamp}}}",
        '"v.key_value.value" has moments with nanoseconds',
    ),
    "a month of pandas": (
        pa.array(pd.Series(pd.to_datetime(["2026-01-02"]).to_period("M"))),
        "{name: v, logicalType: string}",
        '"v" holds numbers that mean something else (pandas.period)',
    ),
    "a month in a list": (
        pa.ListArray.from_arrays(
            [0, 1], pa.array(pd.Series(pd.to_datetime(["2026-01-02"]).to_period("M")))
        ),
        "{name: v, logicalType: array, items: {logicalType: integer}}",
        '"v" holds numbers that mean something else (pandas.period)',
    ),
}


def _workspace(
    tmp_path: Path, column: str, values: pa.Array, *, contract: bool = False, **more: Any
) -> Any:
    files = {"p.sql": "select * from src"}
    if contract:
        files["inputs/src.odcs.yaml"] = a_contract("src", [KEY, column])
    made = a_product(
        {"p": [KEY, column]},
        inputs=[a_source("src", "src.parquet", more="format: parquet")],
        files=files,
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    table = pa.table({"k": pa.array(range(len(values)), pa.int64()), "v": values})
    pq.write_table(table, tmp_path / "domains" / "d" / "p" / "src.parquet", **more)
    return settings


@pytest.mark.parametrize("contract", [False, True], ids=["no contract", "contract"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_type_that_would_be_read_as_something_else_is_refused(
    tmp_path: Path, case: str, *, contract: bool
):
    values, column, told = REFUSED[case]
    settings = _workspace(tmp_path, column, values, contract=contract)
    with pytest.raises(MeshError) as error:
        run(settings, "d.p")
    assert "src.parquet" in str(error.value)
    assert told in str(error.value)


NAIVE = "{name: v, logicalType: timestamp}"
AWARE = "{name: v, logicalType: timestamp, logicalTypeOptions: {timezone: true}}"
READ: dict[str, tuple[pa.Array, str, dict[str, Any], list[Any]]] = {
    "nanoseconds that are microseconds": (
        _nano(WHOLE, None),
        AWARE,
        {},
        [MOMENT.replace(tzinfo=UTC), None],
    ),
    "INT96 of microseconds, beyond what nanoseconds reach": (
        pa.array([MOMENT, None, LATE, EARLY], pa.timestamp("us")),
        NAIVE,
        {"use_deprecated_int96_timestamps": True},
        [MOMENT, None, LATE, EARLY],
    ),
    "a decimal of 38 digits": (
        pa.array([Decimal("123456789012345678901234567890123456.78")], pa.decimal128(38, 2)),
        "{name: v, logicalType: number, physicalType: 'DECIMAL(38,2)'}",
        {},
        [Decimal("123456789012345678901234567890123456.78")],
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_read_exactly_is_published(tmp_path: Path, case: str):
    values, column, more, expected = READ[case]
    settings = _workspace(tmp_path, column, values, **more)
    report = run(settings, "d.p")
    assert report.published, report.decision
    assert [v for (v,) in read(settings, "select v from d.p order by k")] == expected


def test_nanoseconds_of_an_int96_are_refused(tmp_path: Path):
    more = {"use_deprecated_int96_timestamps": True}
    settings = _workspace(tmp_path, NAIVE, _nano(WHOLE, FINE, zone=None), **more)
    with pytest.raises(MeshError, match='"v" has moments with nanoseconds'):
        run(settings, "d.p")


def _through(tmp_path: Path, column: str, body: str) -> Any:
    code = f"import pandas as pd, pyarrow as pa\ndef transform(src: pa.Table):\n    {body}\n"
    made = a_product(
        {"p": [KEY, column]},
        inputs=[a_source("src", "src.csv")],
        files={"transform.py": code, "src.csv": "k\n1\n"},
    )
    return write_workspace(tmp_path, {"d": {"p": made}})


RETURNED = {
    "pandas": (AWARE, "return pd.DataFrame({'k': [1], 'v': pd.to_datetime([@], utc=True)})"),
    "arrow": (AWARE, "return src.append_column('v', pa.array([@], pa.timestamp('ns', 'Asia/Tokyo')))"),
    "a list": (LISTED, "return src.append_column('v', pa.array([[@]], pa.list_(pa.timestamp('ns', 'UTC'))))"),
    "polars": (
        AWARE,
        "import polars as pl; return pl.from_arrow(src.append_column('v', pa.array([@], pa.timestamp('ns', 'UTC')))).lazy()",
    ),
}  # fmt: skip


@pytest.mark.parametrize("digits", [FINE, WHOLE], ids=["nanoseconds", "microseconds"])
@pytest.mark.parametrize("case", RETURNED)
def test_no_digit_of_a_moment_that_is_returned_is_lost(tmp_path: Path, case: str, digits: int):
    column, body = RETURNED[case]
    settings = _through(tmp_path, column, body.replace("@", str(digits)))
    report = run(settings, "d.p")
    assert report.published is (digits == WHOLE), report.decision
    if digits == WHOLE:
        shown = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=WHOLE // 1000)
        [(value,)] = read(settings, "select v from d.p")
        listed = [shown.replace(tzinfo=None)]  # a zone inside a list is not executed
        assert value == (listed if case == "a list" else shown)


FRAMES = {
    "a month": ("pd.DataFrame({'k': [1], 'v': pd.to_datetime(['2026-01-02']).to_period('M')})", "pandas.period"),
    "values of several types": ("pd.DataFrame({'k': [1, 2], 'v': [1, 'x']})", "of no one type"),
    "a column twice": ("pd.DataFrame([[1, 'x', 'y']], columns=['k', 'v', 'v'])", "is there twice"),
    "a decimal of 40 digits": ("src.append_column('v', pa.array([1], pa.decimal256(40, 2)))", "decimal256(40, 2)"),
    "an arrow column twice": ("src.append_column('v', src['k']).append_column('v', src['k'])", "is there twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", FRAMES)
def test_a_returned_column_that_cannot_be_taken_is_named(tmp_path: Path, case: str):
    body, told = FRAMES[case]
    settings = _through(tmp_path, "{name: v, logicalType: string}", f"return {body}")
    with pytest.raises(MeshError) as error:
        run(settings, "d.p")
    assert 'column "v"' in str(error.value)
    assert told in str(error.value)
