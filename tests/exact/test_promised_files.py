"""Promised sources of every form: several files, no header, packed, nested JSON, Parquet."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from helpers import a_contract

from dataops_mesh.engine.session import bind_source, session_in
from dataops_mesh.errors import Location, SourceError
from dataops_mesh.spec.model import Source, SourceFormat
from dataops_mesh.spec.read.contract import read_contract
from dataops_mesh.spec.read.yaml import read_document

HERE = Location("product.odps.yaml", 3)
K, V = "{name: k, logicalType: integer}", "{name: v, logicalType: string}"


def promised(
    folder: Path, found: list[Path], columns: list[str], **options: Any
) -> tuple[list[tuple], list[str]]:
    """Return the rows and the new columns, as a contract promises the files."""
    file = folder / "src.odcs.yaml"
    file.write_text(a_contract("src", columns).replace("@domain", "d"))
    contract, problems = read_contract(read_document(file, file.name), "d", "src", source=True)
    assert problems == []
    kind = {".parquet": SourceFormat.PARQUET, ".json": SourceFormat.JSON}.get(found[0].suffix)
    kind = kind or SourceFormat.CSV
    source = Source("src", kind, HERE, options=tuple(sorted(options.items())))
    with session_in(folder, memory_limit="1GB", threads=1, now=datetime.now(UTC)) as con:
        bind_source(con, "src", found, source, contract)
        rows = con.execute("FROM src ORDER BY ALL").fetchall()
        return rows, [name for (name,) in con.execute('FROM "src__new_columns"').fetchall()]


def files(folder: Path, *texts: str, suffix: str = "csv") -> list[Path]:
    found = [folder / f"{at}.{suffix}" for at in range(len(texts))]
    for path, text in zip(found, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return found


def test_files_may_order_their_columns_as_they_like(tmp_path: Path):
    found = files(tmp_path, "k,v\n1,007\n", "v,k\n008,2\n", "k,new,v\n3,x,9\n")
    rows, new = promised(tmp_path, found, [K, V])
    assert rows == [(1, "007"), (2, "008"), (3, "9")]
    assert new == ["new"]


def test_a_file_among_others_without_the_column_is_named(tmp_path: Path):
    found = files(tmp_path, "k,v\n1,007\n", "k,w\n2,x\n")
    with pytest.raises(SourceError, match=r'1.csv has no column "v"'):
        promised(tmp_path, found, [K, V])


def test_the_line_is_that_of_its_own_file(tmp_path: Path):
    found = files(tmp_path, "k,v\n1,a\n", "k,v\n2,a\nx,b\n")
    with pytest.raises(SourceError, match=r'1.csv:3: column "k": expected a BIGINT'):
        promised(tmp_path, found, [K, V])


def test_without_a_header_the_order_is_the_promise(tmp_path: Path):
    rows, new = promised(tmp_path, files(tmp_path, "1,NO\n2,1.10\n"), [K, V], header=False)
    assert rows == [(1, "NO"), (2, "1.10")]
    assert new == []


def test_a_packed_file_is_read_the_same(tmp_path: Path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"k,v\n1,NO\n"))
    assert promised(tmp_path, [path], [K, V])[0] == [(1, "NO")]
    path.write_bytes(gzip.compress(b"k,v\n1,NO\nx,a\n"))
    with pytest.raises(SourceError, match=r'a.csv.gz: record 2: column "k"'):
        promised(tmp_path, [path], [K, V])


def test_a_decimal_comma_is_one(tmp_path: Path):
    number = "{name: v, logicalType: number, physicalType: 'DECIMAL(9,2)'}"
    found = files(tmp_path, "k;v\n1;1,50\n")
    rows, _ = promised(tmp_path, found, [K, number], delim=";", decimal_separator=",")
    assert str(rows[0][1]) == "1.50"


@pytest.mark.parametrize("text", ["1.000", "1.234", "2.5", "1.234,5", "-1.0"])
@pytest.mark.parametrize("kind", ["number", "integer", "number, physicalType: 'DECIMAL(9,3)'"])
def test_a_point_beside_a_decimal_comma_is_no_number(tmp_path: Path, text: str, kind: str):
    found = files(tmp_path, f"k;v\n1;7\n2;{text}\n")
    column = f"{{name: v, logicalType: {kind}}}"
    with pytest.raises(SourceError, match='csv:3: column "v": expected'):
        promised(tmp_path, found, [K, column], delim=";", decimal_separator=",")


OBJECT = (
    "{name: o, logicalType: object, properties: [{name: day, logicalType: date}, "
    "{name: n, logicalType: integer}]}"
)


def test_objects_have_the_promised_parts(tmp_path: Path):
    text = '{"k": 1, "o": {"day": "2026-01-02", "n": 7}}\n{"k": 2, "o": null}\n'
    rows, _ = promised(tmp_path, files(tmp_path, text, suffix="json"), [K, OBJECT])
    assert rows[0][1] == {"day": datetime(2026, 1, 2).date(), "n": 7}  # noqa: DTZ001
    assert rows[1] == (2, None)


UNLIKE = {
    '{"k": {"a": 1}, "v": "x"}': 'column "k" has objects or arrays: expected a BIGINT',
    '{"k": 1, "v": ["secret"]}': 'column "v" has objects or arrays: expected a VARCHAR',
    '{"k": "secret", "v": "x"}': '0.json:1: column "k": expected a BIGINT',
    '{"k": true, "v": "x"}': '0.json:1: column "k": expected a BIGINT',
    '{"k": 1.5, "v": "x"}': '0.json:1: column "k": expected a BIGINT',
}


@pytest.mark.parametrize("text", UNLIKE)
def test_json_of_another_kind_is_refused(tmp_path: Path, text: str):
    with pytest.raises(SourceError) as error:
        promised(tmp_path, files(tmp_path, text, suffix="json"), [K, V])
    assert UNLIKE[text] in str(error.value)
    assert "secret" not in str(error.value)


PLACES = {
    '{"k": 1, "v": "a"}\n\n{"k": "x", "v": "b"}\n': "0.json:3: column",
    '[{"k": 1, "v": "a"},\n{"k": "x", "v": "b"}]\n': "0.json: record 2: column",
    '[{"k": 1, "v": "a"}, {"k": "x", "v": "b"}]\n': "0.json: record 2: column",
    '{"k": 1, "v": "a"} {"k": "x", "v": "b"}\n': "0.json: record 2: column",
    '{"k": 1,\n"v": "a"}\n{"k": "x", "v": "b"}\n': "0.json: record 2: column",
}


@pytest.mark.parametrize("text", PLACES)
def test_a_record_is_told_by_its_line_where_it_has_one(tmp_path: Path, text: str):
    with pytest.raises(SourceError, match=PLACES[text]):
        promised(tmp_path, files(tmp_path, text, suffix="json"), [K, V])


def test_numbers_promised_as_text_are_the_text_as_delivered(tmp_path: Path):
    text = '[{"k": 1, "v": 1.10}, {"k": 2, "v": 1E5}, {"k": 3, "v": -0}, {"k": 4, "v": true}]'
    rows, _ = promised(tmp_path, files(tmp_path, text, suffix="json"), [K, V])
    assert [value for _, value in rows] == ["1.10", "1E5", "-0", "true"]


def test_an_empty_delivery_of_json_has_the_promised_columns(tmp_path: Path):
    for text in ("[]", ""):
        assert promised(tmp_path, files(tmp_path, text, suffix="json"), [K, V]) == ([], [])


def a_parquet(folder: Path, query: str) -> list[Path]:
    path = folder / "a.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return [path]


def test_parquet_is_converted_exactly_or_refused(tmp_path: Path):
    found = a_parquet(tmp_path, "SELECT 1::INTEGER AS k, 'x' AS v, 2 AS new")
    assert promised(tmp_path, found, [K, V]) == ([(1, "x")], ["new"])
    found = a_parquet(tmp_path, "SELECT 1.5::DOUBLE AS k, 'x' AS v")
    with pytest.raises(SourceError, match=r'column "k" is DOUBLE, which is not exactly BIGINT'):
        promised(tmp_path, found, [K, V])
    found = a_parquet(tmp_path, "SELECT 1 AS k")
    with pytest.raises(SourceError, match=r'a.parquet has no column "v"'):
        promised(tmp_path, found, [K, V])
