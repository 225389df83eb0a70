"""One stored type for each logical type: converted exactly, or refused with the column's name."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from helpers import a_contract, a_product, a_source, read, run, write_workspace
from hypothesis import given
from hypothesis import strategies as st
from oracle import holds_exactly

from dataops_mesh.engine.convert import INEXACT, conversions, converted
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.spec.types.shape import read_shape

CON = duckdb.connect()
CON.execute("SET TimeZone = 'UTC'")


def described(query: str) -> dict[str, str]:
    return {row[0]: row[1] for row in CON.execute(f"DESCRIBE {query}").fetchall()}


def convert(query: str, wanted: str) -> tuple[str, str | None]:
    """Return the type and the text of the one value, after conversion."""
    shape = read_shape(wanted)
    assert shape is not None
    query = converted(query, conversions(described(query), {"v": shape}))
    return CON.execute(f"SELECT typeof(v), v::VARCHAR FROM ({query})").fetchone()


def test_the_oracle_knows_nothing_of_the_library():
    tree = ast.parse((Path(__file__).parent / "oracle.py").read_text("utf-8"))
    modules = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    modules |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not [name for name in modules if name and name.startswith("dataops_mesh")]


EDGES = [0, 1, -1, 127, 128, -129, 2**31, 2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, 2**63, 10**37]
FLOATS = [0.0, -0.0, 0.1, 1.5, 2.0**53, 2.0**53 + 2, 2.0**60, float("nan"), float("inf"), 1e300]
DECIMALS = ["0.1", "0.10", "12345678901234.56", "123456789012345678.9", "0.30000000000000004"]
TARGETS = ["TINYINT", "INTEGER", "BIGINT", "UTINYINT", "UBIGINT", "DECIMAL(38,0)", "DECIMAL(9,2)",
           "DOUBLE"]  # fmt: skip
numbers = st.one_of(
    st.sampled_from(EDGES),
    st.integers(-(2**70), 2**70),
    st.sampled_from(FLOATS),
    st.floats(),
    st.sampled_from(DECIMALS).map(Decimal),
    st.decimals(-(10**20), 10**20, places=4),
)


def spelled(value: float | Decimal) -> str:
    if isinstance(value, float):
        return f"'{value!r}'::DOUBLE"
    if isinstance(value, int):
        return f"{value}::{'BIGINT' if -(2**63) <= value < 2**63 else 'HUGEINT'}"
    return f"{value:f}::DECIMAL(38,{-value.as_tuple().exponent})"


@given(value=numbers, target=st.sampled_from(TARGETS))
def test_a_number_is_converted_exactly_or_not_at_all(value: float | Decimal, target: str):
    query = f"SELECT {spelled(value)} AS v"
    if not holds_exactly(value, target):
        with pytest.raises(duckdb.InvalidInputException, match=INEXACT):
            convert(query, target)
        return
    kind, text = convert(query, target)
    assert kind == target
    if target == "DOUBLE":
        assert float(text) == float(value) or value != value  # noqa: PLR0124 - NaN
    else:
        assert Decimal(text) == (Decimal(repr(value)) if isinstance(value, float) else value)


NEVER = {
    "'1'": "BIGINT", "'true'": "BOOLEAN", "'2026-01-01'": "DATE", "true": "BIGINT",
    "1.5": "VARCHAR", "TIME '01:00:00'": "VARCHAR", "TIMESTAMP '2026-01-01 00:00:01'": "DATE",
    "['1']": "BIGINT[]", "{'a': 'x'}": "STRUCT(a DATE)", "MAP {'a': 'x'}": "MAP(VARCHAR, DOUBLE)",
    "TIMESTAMP '2026-01-01 00:00:00.0005'": "TIMESTAMP_MS", "[1.5]": "BIGINT[]", "-1": "UHUGEINT",
    "'5e0e3d1c-7c2c-4b0e-9f0a-000000000000'": "UUID", "[[1, 300]]": "UTINYINT[][]",
}  # fmt: skip


@pytest.mark.parametrize("value", NEVER)
def test_text_and_other_kinds_never_become_another_type(value: str):
    with pytest.raises(duckdb.InvalidInputException, match=INEXACT):
        convert(f"SELECT {value} AS v", NEVER[value])


EXACTLY = {
    "sum(5)": ("BIGINT", "5"),
    "sum(5::BIGINT)": ("DOUBLE", "5.0"),
    "TIMESTAMP '2026-01-01'": ("DATE", "2026-01-01"),
    "TIMESTAMP 'infinity'": ("DATE", "infinity"),
    "DATE '0044-03-15 (BC)'": ("TIMESTAMP", "0044-03-15 (BC) 00:00:00"),
    "TIMESTAMP_NS '2026-01-01 00:00:00.000001'": ("TIMESTAMP", "2026-01-01 00:00:00.000001"),
    "5::HUGEINT": ("HUGEINT", "5"),
    "TIMESTAMP '9999-12-31 23:59:59.999'": ("TIMESTAMP_MS", "9999-12-31 23:59:59.999"),
    "'5e0e3d1c-7c2c-4b0e-9f0a-0123456789ab'::UUID": (
        "VARCHAR",
        "5e0e3d1c-7c2c-4b0e-9f0a-0123456789ab",
    ),
    "[{'a': NULL}, {'a': 1}]": ("STRUCT(a DOUBLE)[]", "[{'a': NULL}, {'a': 1.0}]"),
    "MAP {'x': [1]}": ("MAP(VARCHAR, BIGINT[])", "{x=[1]}"),
    "[]": ("STRUCT(a DATE)[]", "[]"),
}


@pytest.mark.parametrize("value", EXACTLY)
def test_what_a_cast_there_and_back_does_not_change_is_converted(value: str):
    wanted, text = EXACTLY[value]
    assert convert(f"SELECT {value} AS v", wanted)[1] == text


KINDS = ["integer", "number", "boolean", "date", "timestamp", "time", "string",
         "array, items: {logicalType: date}"]  # fmt: skip
EMPTY = ["null", "null::VARCHAR", "null::DOUBLE", "null::INTEGER[]", "null::STRUCT(a INTEGER)"]


@pytest.mark.parametrize("logical", KINDS)
def test_a_column_of_nulls_has_the_contracts_type(tmp_path: Path, logical: str):
    columns = ["{name: k, logicalType: integer, primaryKey: true}"]
    columns += [f"{{name: v{n}, logicalType: {logical}}}" for n in range(len(EMPTY))]
    query = "select 1 as k, " + ", ".join(f"{e} as v{n}" for n, e in enumerate(EMPTY))
    made = a_product({"p": columns}, files={"p.sql": query})
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)
    kinds = read(settings, "select typeof(columns(* exclude k)) from d.p")
    assert len(set(kinds[0])) == 1


DELIVERIES = {"two days of nulls": "k,v\n1,\n2,\n", "a header alone": "k,v\n"}


@pytest.mark.parametrize("day", DELIVERIES)
@pytest.mark.parametrize("logical", ["date", "integer", "timestamp", "string", "boolean"])
def test_an_empty_day_is_published_with_the_types_of_a_full_one(
    tmp_path: Path, day: str, logical: str
):
    columns = ["{name: k, logicalType: integer}", f"{{name: v, logicalType: {logical}}}"]
    empty = "customProperties: [{property: allowEmpty, vendor: dataops_mesh, value: true}]\n"
    made = a_product(
        {"p": a_contract("p", columns, extra=empty)},
        inputs=[a_source("src", "src.csv")],
        files={"p.sql": "select * from src", "src.csv": DELIVERIES[day]},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)


def refused(tmp_path: Path, logical: str, value: str) -> str:
    made = a_product(
        {"p": [f"{{name: v, logicalType: {logical}}}"]}, files={"p.sql": f"select {value} as v"}
    )
    report = run(write_workspace(tmp_path, {"d": {"p": made}}), "d.p")
    assert isinstance(report.decision, Refuse)
    return next(result.reason for result in report.results if result.check == "schema")


def test_a_refusal_names_the_column_the_type_and_the_cure(tmp_path: Path):
    said = refused(tmp_path, "number", "9007199254740993")
    assert "v is INTEGER" not in said
    assert "v is BIGINT, not DOUBLE" in said
    assert "promise it with `physicalType: BIGINT`" in said
    assert "9007199254740993" not in said


def test_a_huge_integer_is_not_rounded_on_its_way_to_a_refusal(tmp_path: Path):
    said = refused(tmp_path, "number", "sum(9007199254740993)")
    assert "v is DECIMAL(38,0), not DOUBLE" in said


def test_what_nobody_declared_inside_a_list_is_not_rounded(tmp_path: Path):
    made = a_product(
        {"p": ["{name: v, logicalType: array}"]},
        files={"p.sql": "select [9007199254740993::hugeint] as v"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)
    assert read(settings, "select v[1]::VARCHAR from d.p") == [("9007199254740993",)]


def test_all_columns_that_do_not_fit_are_named_at_once(tmp_path: Path):
    columns = [f"{{name: {n}, logicalType: integer}}" for n in "abc"]
    files = {"p.sql": "select 1.5::double as a, 2.0::double as b, 'x' as c"}
    report = run(
        write_workspace(tmp_path, {"d": {"p": a_product({"p": columns}, files=files)}}), "d.p"
    )
    (said,) = [result.reason for result in report.results if result.check == "schema"]
    assert "a is DOUBLE" in said
    assert "c is VARCHAR" in said
    assert "b is" not in said


FRAMES = {
    "pandas": "import pandas as pd\ndef transform(d_src: pd.DataFrame):\n    return d_src\n",
    "a reader": (
        "import pyarrow as pa\ndef transform(d_src: pa.Table):\n"
        "    return pa.RecordBatchReader.from_batches(d_src.schema, d_src.to_batches())\n"
    ),
    "polars": "import polars as pl\ndef transform(d_src: pl.LazyFrame):\n    return d_src\n",
}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_passes_decimals_and_dates_on(tmp_path: Path, frame: str):
    columns = [
        "{name: k, logicalType: integer, primaryKey: true}",
        "{name: price, logicalType: number, physicalType: 'DECIMAL(9,2)'}",
        "{name: day, logicalType: date}",
        "{name: missing, logicalType: time}",
    ]
    up = a_product(
        {"src": columns},
        files={
            "src.sql": "select 1 as k, 9.99 as price, date '2026-02-28' as day, null as missing"
        },
    )
    made = a_product(
        {"p": columns},
        inputs=["- name: d.src\n"],
        files={"transform.py": FRAMES[frame]},
    )
    settings = write_workspace(tmp_path, {"d": {"src": up, "p": made}})
    run(settings, "d.src")
    assert isinstance(run(settings, "d.p").decision, Publish)
    assert read(settings, "select price::VARCHAR, day::VARCHAR from d.p") == [
        ("9.99", "2026-02-28")
    ]


PHYSICAL = {
    "integer, physicalType: HUGEINT": ("12345678901234567890123", "DECIMAL(38,0)"),
    "timestamp, physicalType: TIMESTAMP_MS": ("timestamp_ms '2026-01-01 00:00:00.5'", "TIMESTAMP"),
    "integer, logicalTypeOptions: {format: i128}": ("170141183460469", "DECIMAL(38,0)"),
    "timestamp, physicalType: TIMESTAMP_S": ("timestamp '2026-01-01 00:00:01'", "TIMESTAMP"),
}


@pytest.mark.parametrize("logical", PHYSICAL)
def test_a_physical_type_that_parquet_lacks_is_stored_exactly(tmp_path: Path, logical: str):
    value, kind = PHYSICAL[logical]
    made = a_product(
        {"p": [f"{{name: v, logicalType: {logical}}}"]}, files={"p.sql": f"select {value} as v"}
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)
    assert read(settings, f"select typeof(v), v = {value} from d.p") == [(kind, True)]


OLD_WORDS = {
    "physicalType: TIMESTAMP": "TIMESTAMP",
    "logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm'}": "TIMESTAMP",
    "logicalTypeOptions: {format: 'yyyy-MM-dd'}": "DATE",
    "description: a day": "DATE",
}


@pytest.mark.parametrize("said", OLD_WORDS)
def test_a_date_of_odcs_3_0_can_be_a_timestamp(tmp_path: Path, said: str):
    text = a_contract("p", [f"{{name: v, logicalType: date, {said}}}"]).replace("v3.2.0", "v3.0.2")
    made = a_product({"p": text}, files={"p.sql": "select timestamp '2026-01-01' as v"})
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)
    assert read(settings, "select typeof(v) from d.p") == [(OLD_WORDS[said],)]


NARROW = {
    "timestamp, physicalType: TIMESTAMP_S": "timestamp '2026-01-01 00:00:00.5'",
    "timestamp, physicalType: TIMESTAMP_MS": "timestamp '2026-01-01 00:00:00.123456'",
    "integer, physicalType: UHUGEINT": "(-1)::decimal(38, 0)",
    "array, items: {logicalType: timestamp, physicalType: TIMESTAMP_S}":
        "[timestamp '2026-01-01 00:00:00.5']",
}  # fmt: skip


@pytest.mark.parametrize("logical", NARROW)
def test_a_value_beyond_the_declared_type_is_not_published_as_the_one_it_is_stored_in(
    tmp_path: Path, logical: str
):
    made = a_product(
        {"p": [f"{{name: v, logicalType: {logical}}}"]},
        files={"p.sql": f"select {NARROW[logical]} as v"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert not run(settings, "d.p").published
