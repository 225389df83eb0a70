"""What PostgreSQL has is what the published Parquet says: an oracle that is not ours reads both."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import uuid
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg2
import pytest
from export_cases import ask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import ExportError, Location
from dataops_mesh.export.postgres import bring
from dataops_mesh.export.target import Asked
from dataops_mesh.export.wanted import Copy, Wanted
from dataops_mesh.spec.model import Address, Export

pytestmark = pytest.mark.needs_postgres
EXAMPLES = 300 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 25
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=8)
NAIVE = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 30))  # noqa: DTZ001 - without one
COLUMNS = {
    "BOOLEAN": st.booleans(),
    "TINYINT": st.integers(-(2**7), 2**7 - 1),
    "SMALLINT": st.integers(-(2**15), 2**15 - 1),
    "INTEGER": st.integers(-(2**31), 2**31 - 1),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "UTINYINT": st.integers(0, 2**8 - 1),
    "USMALLINT": st.integers(0, 2**16 - 1),
    "UINTEGER": st.integers(0, 2**32 - 1),
    "UBIGINT": st.integers(0, 2**64 - 1),
    "DECIMAL(38,0)": st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal),
    "DECIMAL(18,4)": st.integers(-(10**18) + 1, 10**18 - 1).map(lambda n: Decimal(n).scaleb(-4)),
    "FLOAT": st.floats(width=32),
    "DOUBLE": st.floats(),
    "VARCHAR": TEXT | st.sampled_from(["", "\\N", "\\.", '"', "NULL", "a,b\r\n\tc"]),
    "BLOB": st.binary(max_size=6),
    "UUID": st.uuids(),
    "DATE": st.dates(),
    "TIME": st.times(),
    "TIMESTAMP": NAIVE,
    "TIMESTAMP WITH TIME ZONE": NAIVE.map(lambda at: at.replace(tzinfo=dt.UTC)),
    "INTEGER[]": st.lists(st.none() | st.integers(-9, 9), max_size=3),
    "STRUCT(a VARCHAR, b BIGINT)": st.fixed_dictionaries(
        {"a": st.none() | TEXT, "b": st.none() | st.integers(-(2**63), 2**63 - 1)}
    ),
}
ROWS = st.lists(
    st.fixed_dictionaries({kind: st.none() | values for kind, values in COLUMNS.items()}),
    max_size=6,
)


def a_copy(schema, file, rows, kinds, number=1):
    columns = tuple((f"c{place}", kind) for place, kind in enumerate(kinds))
    export = Export("dwh", Location("orders.odcs.yaml", 3), connection="warehouse", schema=schema)
    relation = f"read_parquet('{file}')"
    return Copy(
        Address("shop", "orders"), export, number, uuid.uuid4().hex, relation, (file,), rows,
        columns=columns,
    )  # fmt: skip


def written(file, rows, kinds):
    """Write rows as Parquet by plain DuckDB, and return what it reads there."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(
        f"CREATE TABLE t (n INTEGER, {', '.join(f'c{i} {k}' for i, k in enumerate(kinds))})"
    )
    for number, row in enumerate(rows):
        cells = {f"c{place}": row[kind] for place, kind in enumerate(kinds)}
        given_ = {"n": number, **{name: v for name, v in cells.items() if v is not None}}
        holders = ", ".join("?" for _ in given_)
        con.execute(f"INSERT INTO t ({', '.join(given_)}) VALUES ({holders})", [*given_.values()])
    con.execute(f"COPY (SELECT * EXCLUDE n FROM t ORDER BY n) TO '{file}' (FORMAT parquet)")
    return con, con.execute(f"FROM read_parquet('{file}')").fetchall()


def plain(value):
    """Return a value as two libraries can agree on it."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(value)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return str(value) if isinstance(value, uuid.UUID) else value


@given(rows=ROWS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_value_of_every_type(rows, database, tmp_path):
    schema = f"s{uuid.uuid4().hex[:8]}"
    file = tmp_path / f"{schema}.parquet"
    con, expected = written(file, rows, COLUMNS)
    wanted = Wanted("shop.sales", 1, 0, (a_copy(schema, file, len(rows), COLUMNS),))
    bring(database, "warehouse", Asked("shop.sales", "store", lambda: nullcontext(wanted), con))
    # A real is shown by its fewest digits, which mean it and no double: so it is asked for as one.
    names = [f"c{n}::float8" if kind == "FLOAT" else f"c{n}" for n, kind in enumerate(COLUMNS)]
    query = f"set timezone = 'UTC'; select {', '.join(names)} from {schema}.orders"
    found = ask(database, query)
    order = sorted([[plain(v) for v in row] for row in found], key=str)
    assert order == sorted([[plain(v) for v in row] for row in expected], key=str)
    ask(database, f"drop schema {schema} cascade; select 1")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("'a' || chr(0)", "character not in repertoire in row 1"),
        ("[1.5, 'nan'::double]", "invalid text representation in row 1"),
        ("date '5877642-06-25 (BC)'", "datetime field overflow in row 1"),
    ],
)
def test_what_postgres_cannot_hold_is_an_error_that_repeats_no_value(
    value, said, database, tmp_path
):
    schema, file = f"s{uuid.uuid4().hex[:8]}", tmp_path / "a.parquet"
    con = duckdb.connect()
    con.execute(f"COPY (SELECT {value} AS c0) TO '{file}' (FORMAT parquet)")
    ((_, kind, *_),) = con.execute(f"DESCRIBE FROM '{file}'").fetchall()
    wanted = Wanted("shop.sales", 1, 0, (a_copy(schema, file, 1, [kind]),))
    with pytest.raises(ExportError) as raised:
        bring(database, "warehouse", Asked("shop.sales", "store", lambda: nullcontext(wanted), con))
    assert said in str(raised.value)
    assert "5877642" not in str(raised.value)
    with pytest.raises(psycopg2.Error, match="does not exist"):
        ask(database, f"select * from {schema}.orders")


def test_a_file_with_fewer_rows_than_were_published_is_not_shown(database, tmp_path):
    schema, file = f"s{uuid.uuid4().hex[:8]}", tmp_path / "a.parquet"
    con, _ = written(Path(file), [{"BIGINT": 1}], ["BIGINT"])
    wanted = Wanted("shop.sales", 1, 0, (a_copy(schema, file, 2, ["BIGINT"]),))
    with pytest.raises(ExportError, match="1 of 2 rows arrived"):
        bring(database, "warehouse", Asked("shop.sales", "store", lambda: nullcontext(wanted), con))
    with pytest.raises(psycopg2.Error, match="does not exist"):
        ask(database, f"select * from {schema}.orders")
