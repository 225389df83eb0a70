"""What was written is what was asked for, and its fingerprint speaks of the content only."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store_helpers import T0, A

from dataops_mesh.engine.session import seal, session
from dataops_mesh.engine.write import write_port
from dataops_mesh.errors import TransformError
from dataops_mesh.store.files import digest
from dataops_mesh.store.store import open_store


@pytest.fixture
def con(tmp_path):
    store = open_store(tmp_path / "store")
    with session(store, memory_limit="500MB", threads=2, now=T0) as con:
        yield con


def test_the_record_of_a_port_agrees_with_the_disk(con, tmp_path):
    port = write_port(con, "SELECT range AS i, 'x' AS s FROM range(1000)", tmp_path, A)
    assert (port.address, port.rows) == (A, 1000)
    assert port.columns == (("i", "BIGINT"), ("s", "VARCHAR"))
    assert port.bytes == sum((tmp_path / file.path).stat().st_size for file in port.files)
    assert [file.sha256 for file in port.files] == [
        digest(tmp_path / file.path) for file in port.files
    ]
    assert all(file.path.startswith("aircraft/") for file in port.files)


def test_files_have_no_field_ids_so_that_an_iceberg_table_can_take_them(con, tmp_path):
    """`add_files` of pyiceberg refuses files that number their fields by themselves."""
    port = write_port(con, "SELECT 1 AS i, {'x': 1} AS s, [1] AS l", tmp_path, A)
    schema = pq.read_schema(tmp_path / port.files[0].path)
    assert all(field.metadata is None for field in schema)


def test_an_empty_result_is_written_with_its_columns(con, tmp_path):
    port = write_port(con, "SELECT 1 AS i WHERE false", tmp_path, A)
    assert (port.rows, len(port.files), port.columns) == (0, 1, (("i", "INTEGER"),))


def test_every_kind_of_table_gives_the_same_content(con, tmp_path):
    data = {"i": [1, 2, 3], "s": ["a", None, "c"]}
    table = pa.table(data)
    made = [
        "SELECT * FROM (VALUES (1::BIGINT, 'a'), (2, NULL), (3, 'c')) AS t(i, s)",
        con.sql("SELECT * FROM (VALUES (1::BIGINT, 'a'), (2, NULL), (3, 'c')) AS t(i, s)"),
        table,
        table.to_reader(),
        pd.DataFrame(data, index=[7, 8, 9]),
        pl.DataFrame(data),
    ]
    ports = [write_port(con, rows, tmp_path / str(n), A) for n, rows in enumerate(made)]
    assert {(port.rows, port.columns, port.fingerprint) for port in ports} == {
        (3, (("i", "BIGINT"), ("s", "VARCHAR")), ports[0].fingerprint)
    }


def test_the_order_of_rows_does_not_change_the_fingerprint_and_anything_else_does(con, tmp_path):
    queries = {
        "same": "SELECT range AS i, range % 7 AS k FROM range(5000)",
        "reversed": "SELECT range AS i, range % 7 AS k FROM range(5000) ORDER BY range DESC",
        "one value": "SELECT range AS i, range % 7 + (range = 9)::INT AS k FROM range(5000)",
        "one row less": "SELECT range AS i, range % 7 AS k FROM range(4999)",
        "one row twice": "SELECT least(range, 4998) AS i, range % 7 AS k FROM range(5000)",
        "a null": "SELECT range AS i, nullif(range % 7, 6) AS k FROM range(5000)",
        "swapped": "SELECT range % 7 AS i, range AS k FROM range(5000)",
        "renamed": "SELECT range AS i, range % 7 AS kk FROM range(5000)",
        "retyped": "SELECT range AS i, (range % 7)::INT AS k FROM range(5000)",
        "paired otherwise": "SELECT range AS i, (range + 1) % 7 AS k FROM range(5000)",
    }
    prints = {
        name: write_port(con, query, tmp_path / name, A).fingerprint
        for name, query in queries.items()
    }
    assert prints["same"] == prints["reversed"]
    assert len(set(prints.values())) == len(prints) - 1


def test_an_odd_column_name_is_only_a_name(con, tmp_path):
    port = write_port(con, 'SELECT 1 AS "a""b", 2 AS "x y"', tmp_path, A)
    assert [name for name, _ in port.columns] == ['a"b', "x y"]


def test_a_sealed_session_writes_its_candidate(con, tmp_path):
    folder = tmp_path / "candidate"
    folder.mkdir()
    seal(con, [folder])
    assert write_port(con, pa.table({"i": [1]}), folder, A).rows == 1


def test_the_error_of_a_failing_transform_repeats_no_value(con, tmp_path):
    query = "SELECT s::INTEGER AS i FROM (SELECT 'DE89 3704' AS s FROM range(2))"
    with pytest.raises(TransformError) as caught:
        write_port(con, query, tmp_path, A)
    assert "3704" not in str(caught.value)
    assert "ConversionException" in str(caught.value)
    assert caught.value.__cause__ is None


TAKEN = {
    "select v::int as n from t": 'a value of "v" cannot be cast, in line 1 of the query',
    "select k,\n  cast(v as date) as d\nfrom t": 'a value of "v" cannot be cast, in line 2',
    'select "x y"::timestamp as at from t': 'a value of "x y" cannot be cast',
    "select k from t a join t b on a.k = b.v": 'a value of "v" cannot be cast',
    "select sum(V::decimal(4, 2)) as s from t": 'a value of "v" cannot be cast',
    "select\n(v || '!')::int as n from t": "a value cannot be cast, in line 2 of the query",
    "select columns('^v$')::int from t": 'a value of "v" cannot be cast',
}


@pytest.mark.parametrize("query", TAKEN)
def test_a_cast_that_fails_names_its_column_and_never_its_value(con, tmp_path, query):
    con.execute("CREATE TABLE t AS SELECT 1 AS k, 'DE89 3704' AS v, 'DE89' AS \"x y\"")
    if " join " in query:
        query = query.replace("select k", "select a.k")
    with pytest.raises(TransformError) as caught:
        write_port(con, query, tmp_path, A)
    assert TAKEN[query.replace("select a.k", "select k")] in str(caught.value)
    assert "DE89" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "x' to INT32 when casting from source column 3704",
        "x when casting from source column 3704\n\nLINE 1: 3704\n^",
        "\n\nLINE 3704: x\n   ^\n when casting from source column 3704",
    ],
)
def test_a_value_that_looks_like_the_end_of_a_message_is_not_told(con, tmp_path, value):
    con.execute("CREATE TABLE t AS SELECT $1 AS v", [value])
    for query in ("select v::int as n from t", "select (v || '')::int as n from t"):
        with pytest.raises(TransformError) as caught:
            write_port(con, query, tmp_path, A)
        assert "3704" not in str(caught.value)


def test_the_error_of_a_mistyped_column_says_which(con, tmp_path):
    with pytest.raises(TransformError, match="tailnum"):
        write_port(con, "SELECT tailnum FROM (SELECT 1 AS tail)", tmp_path, A)


def test_what_is_not_rows_is_said_not_to_be(con, tmp_path):
    with pytest.raises(TransformError, match="a dict is not rows"):
        write_port(con, {"a": 1}, tmp_path, A)


def test_published_files_are_frozen(con, tmp_path):
    port = write_port(con, "SELECT 1 AS i", tmp_path, A)
    assert (tmp_path / port.files[0].path).stat().st_mode & 0o222 == 0


BIG = """
import sys
from peak import peak_mb
from pathlib import Path
from datetime import datetime, UTC
from dataops_mesh.engine.session import session
from dataops_mesh.store.store import open_store
from dataops_mesh.engine.write import write_port
from dataops_mesh.spec.model import Address
store = open_store(Path(sys.argv[1]))
query = '''
    SELECT i AS id, (i * 7919) % 1000003 AS k, 'carrier_' || (i % 16) AS carrier,
        'N' || (i % 3000) AS tail, DATE '2013-01-01' + (i % 365)::INT AS day, (i % 999) / 3.0 AS x,
        i * 3 AS r, i % 5 = 0 AS flag, nullif(i % 1500, 7) AS minutes, hash(i) AS h
    FROM range(10_000_000) AS t(i)
'''
with session(store, memory_limit="1GB", threads=2, now=datetime.now(UTC)) as con:
    port = write_port(con, query, store.root / "candidates", Address("a", "b"))
print(port.rows, peak_mb(), port.bytes >> 20, len(port.files))
"""


def test_ten_million_rows_are_written_in_bounded_memory(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", BIG, str(tmp_path / "store")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows, peak, *_ = (int(part) for part in found.stdout.split())
    assert rows == 10_000_000
    assert peak < 400, found.stdout
