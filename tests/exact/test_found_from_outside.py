"""Wrong values and crashes that somebody found who had only the documentation."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from helpers import a_contract, a_product, a_source, read, run, write_product, write_workspace

from dataops_mesh.errors import MeshError
from dataops_mesh.gate import Refuse
from dataops_mesh.store.record import build, plain

KEY = "{name: k, logicalType: integer, primaryKey: true}"
AS_IS = "import pandas as pd\ndef transform(src: pd.DataFrame):\n    return src\n"
INNER = "{name: a, logicalType: number, physicalType: 'DECIMAL(18, 2)'}"
THROUGH_PANDAS = {
    "a null in an array of integers": (
        "[1, null, 9007199254740993]",
        "{name: v, logicalType: array, items: {logicalType: integer}}",
    ),
    "a null in an array of numbers": (
        "[1.5::double, null]",
        "{name: v, logicalType: array, items: {logicalType: number}}",
    ),
    "a null in an array of booleans": (
        "[true, null, false]",
        "{name: v, logicalType: array, items: {logicalType: boolean}}",
    ),
    "a decimal of 17 digits": (
        "900719925474099.93::decimal(20, 2)",
        "{name: v, logicalType: number, physicalType: 'DECIMAL(20, 2)'}",
    ),
    "a map": (
        "map {'a': 9007199254740993, 'b': null}",
        "{name: v, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: integer}}}",
    ),
    "a null beside a map": (
        "unnest([null, map {'a': 1}, map {}])",
        "{name: v, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: integer}}}",
    ),
    "a decimal in a struct": (
        "{'a': 70368744177664.13::decimal(18, 2)}",
        f"{{name: v, logicalType: object, properties: [{INNER}]}}",
    ),
}


@pytest.mark.parametrize("case", THROUGH_PANDAS)
def test_pandas_hands_on_what_it_was_given(tmp_path: Path, case: str):
    value, column = THROUGH_PANDAS[case]
    made = a_product(
        {"p": [KEY, column]},
        inputs=[a_source("src", "src.parquet", more="format: parquet")],
        files={"transform.py": AS_IS},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    file = tmp_path / "domains" / "d" / "p" / "src.parquet"
    with duckdb.connect() as plain_duckdb:
        plain_duckdb.execute(
            f"COPY (SELECT row_number() OVER () AS k, v FROM (SELECT {value} AS v)) TO '{file}'"
        )
        expected = plain_duckdb.execute(f"SELECT v FROM '{file}'").fetchall()
    report = run(settings, "d.p")
    assert report.published, report.decision
    assert read(settings, "select v from d.p order by k") == expected


@pytest.mark.parametrize("option", ["types: {v: DATE}", "columns: {k: BIGINT, v: DATE}"])
def test_a_column_said_to_be_a_date_is_never_a_guess(tmp_path: Path, option: str):
    made = a_product(
        {"p": [KEY, "{name: v, logicalType: date}"]},
        inputs=[a_source("src", "src.csv", more=f"options: {{{option}}}")],
        files={"p.sql": "select * from src", "src.csv": "k,v\n1,2026-04-03\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert run(settings, "d.p").published
    write_product(tmp_path, "d", "p", {"src.csv": "k,v\n1,05/26/2026\n2,03/04/2026\n"})
    with pytest.raises(MeshError):
        run(settings, "d.p")
    assert [str(day) for (day,) in read(settings, "select v from d.p")] == ["2026-04-03"]


LONG = Decimal("90071992547409.93")


@pytest.mark.parametrize("sum_is", [LONG, LONG + Decimal("0.01")], ids=str)
def test_a_threshold_that_no_float_shows_is_judged_and_kept(tmp_path: Path, sum_is: Decimal):
    rule = f"{{id: total, type: sql, query: 'select sum(v) from {{object}}', mustBe: {LONG}}}"
    column = (
        "{name: v, logicalType: number, physicalType: 'DECIMAL(20, 2)', classification: public}"
    )
    made = a_product(
        {"p": a_contract("p", [KEY.replace("}", ", classification: public}"), column], rule)},
        files={"p.sql": f"select 1 as k, {sum_is}::decimal(20, 2) as v"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    report = run(settings, "d.p")
    assert report.published is (sum_is == LONG), report.decision
    assert isinstance(report.decision, Refuse) is (sum_is != LONG)


def test_a_decimal_survives_the_record():
    from dataops_mesh.spec.model import Operator, Threshold

    values: list[Any] = [LONG, (Decimal("0.1"), LONG), 5, 1.5, (1, 2)]
    for value in values:
        kept = Threshold(Operator.BE, value)
        assert build(Threshold, plain(kept)) == kept


WITHOUT_KEY = {
    "SQL": ("p.sql", "select 'x' as v"),
    "pandas": ("transform.py", "import pandas as pd\ndef transform(src: pd.DataFrame):\n    return src.set_index('k')\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", WITHOUT_KEY)
def test_a_key_that_is_missing_is_refused_like_any_column(tmp_path: Path, case: str):
    name, code = WITHOUT_KEY[case]
    inputs = [a_source("src", "src.csv")] if case == "pandas" else []
    made = a_product(
        {"p": [KEY, "{name: v, logicalType: string}"]},
        inputs=inputs,
        files={name: code, "src.csv": "k,v\n1,x\n"},
    )
    report = run(write_workspace(tmp_path, {"d": {"p": made}}), "d.p")
    assert isinstance(report.decision, Refuse), report
    assert "missing: k" in " ".join(report.decision.reasons)
