"""Queries on SQLite: values as they are there, one type a column, and nothing is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from fetch_cases import run, shop
from helpers import read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import DeclarationError, SourceError
from dataops_mesh.fetch import faults
from dataops_mesh.fetch.driver import Before, Where
from dataops_mesh.fetch.faults import Refusal
from dataops_mesh.fetch.sqlite import Sqlite
from dataops_mesh.spec.remote import Remote


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as con:
        for statement in statements:
            con.execute(statement)
        con.commit()


def rows(file: Path, query: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return the types and rows of a query as DuckDB reads the file that was made of it."""
    where = Where(Remote(query=query, connection="x"), f"sqlite:///{file}", file.parent)
    (piece,) = Sqlite().fetch(where, Before(), file.parent, lambda _: None).pieces
    with duckdb.connect() as con:
        found = con.sql(f"from '{piece.path}'")
        return [str(kind) for kind in found.types], found.fetchall()


INTEGERS = st.none() | st.integers(-(2**63), 2**63 - 1)
TEXTS = st.none() | st.text(st.characters(codec="utf-8"), max_size=20)
REALS = st.none() | st.floats(allow_nan=False)
BLOBS = st.none() | st.binary(max_size=20)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=st.lists(st.tuples(INTEGERS, TEXTS, REALS, BLOBS), max_size=20))
def test_every_value_comes_through_exactly(tmp_path: Path, made: list[tuple[object, ...]]):
    file = tmp_path / "t.db"
    file.unlink(missing_ok=True)
    execute(file, "create table t (i integer, s text, r real, b blob)")
    with closing(sqlite3.connect(file)) as con:
        con.executemany("insert into t values (?, ?, ?, ?)", made)
        con.commit()
        theirs = con.execute("select * from t order by rowid").fetchall()
    types, found = rows(file, "select * from t order by rowid")
    assert types == ["BIGINT", "VARCHAR", "DOUBLE", "BLOB"]
    assert found == theirs


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ("(1), (2)", "BIGINT"),
        ("(1.5), (2)", "DOUBLE"),
        ("('a'), (null)", "VARCHAR"),
        ("(null)", "VARCHAR"),
        ("(x'00')", "BLOB"),
    ],
)
def test_a_column_without_a_type_is_what_is_in_it(tmp_path: Path, values: str, kind: str):
    execute(tmp_path / "t.db", "create table t (v)", f"insert into t values {values}")
    assert rows(tmp_path / "t.db", "select v from t")[0] == [kind]


@pytest.mark.parametrize(
    ("kind", "values", "why"),
    [
        ("", "(1), ('a')", "integer and text"),
        ("integer", "(1), ('a')", "integer and text"),
        ("text", "(x'00')", "blob"),
        ("real", "(9007199254740993), (0.5)", ""),
        ("", "(9007199254740993), (0.5)", "not exact"),
    ],
)
def test_a_column_of_several_types_is_refused_by_name(
    tmp_path: Path, kind: str, values: str, why: str
):
    execute(tmp_path / "t.db", f"create table t (v {kind})", f"insert into t values {values}")
    if not why:  # SQLite itself has rounded it as it was written
        assert rows(tmp_path / "t.db", "select v from t")[0] == ["DOUBLE"]
        return
    with pytest.raises(Refusal, match=why) as told:
        rows(tmp_path / "t.db", "select v from t")
    assert '"v"' in str(told.value)
    assert "cast(v as text)" in told.value.then


def test_no_rows_have_columns_all_the_same(tmp_path: Path):
    execute(tmp_path / "t.db", "create table t (i integer, s text)")
    assert rows(tmp_path / "t.db", "select i, s from t -- nothing") == (["BIGINT", "VARCHAR"], [])


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(faults, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("MESH_CONNECTION_SHOP_DB", "sqlite:///orders.db")
    execute(
        tmp_path / "orders.db", "create table orders (id int)", "insert into orders values (1), (2)"
    )
    return tmp_path / "orders.db"


def a_query(text: str, more: str = "") -> str:
    return f'query: "{text}", connection: shop_db{more}'


def test_a_product_reads_a_file_named_from_the_workspace(tmp_path: Path, database: Path):
    changed = ", changed: 'select max(id) from orders'"
    made = shop(tmp_path, a_query("select id from orders", changed))
    assert run(made).published
    assert read(made, "select id from shop.orders order by 1") == [(1,), (2,)]
    execute(database, "insert into orders values (0)")  # which `changed` misses
    assert run(made).published
    assert read(made, "select count(*) from shop.orders") == [(2,)]
    execute(database, "insert into orders values (9)")
    assert run(made).published
    assert read(made, "select count(*) from shop.orders") == [(4,)]


@pytest.mark.parametrize(
    "query",
    [
        "select load_extension('evil') as id",
        "select id from pragma_table_info('orders')",
        "select writefile('x', 'y') as id",
        "select missing as id from orders",
    ],
)
def test_nothing_but_reading_is_let_through(tmp_path: Path, database: Path, query: str):
    before = database.read_bytes()
    with pytest.raises(SourceError, match="the database"):
        run(shop(tmp_path, a_query(query)))
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "query",
    [
        "attach 'x.db' as x",
        "pragma writable_schema = 1",
        "insert into orders values (7) returning id",
        "select 1 as id; delete from orders",
    ],
)
def test_what_is_no_select_is_refused_where_it_stands(tmp_path: Path, query: str):
    with pytest.raises(DeclarationError, match=r"product.odps.yaml:\d+.*query"):
        run(shop(tmp_path, a_query(query)))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select nothing_here as id from orders", "no such column: nothing_here"),
        ("select id from nowhere", "no such table: nowhere"),
        ("select json_extract(who, '$.a') as id from people", "cannot answer the query"),
        ("select json_extract('{}', who) as id from people", "cannot answer the query"),
        ("select id from people where who match 'a'", "cannot answer the query"),
        ("select abs(id - 9223372036854775807 - 2) as id from orders", "cannot answer the query"),
    ],
)
def test_what_the_database_says_has_no_value_in_it(
    tmp_path: Path, database: Path, query: str, why: str
):
    execute(
        database,
        "create table people (id int, who text)",
        "insert into people values (1, 'hunter2')",
    )
    with pytest.raises(SourceError, match=why) as told:
        run(shop(tmp_path, a_query(query)))
    assert "hunter2" not in str(told.value)


def test_wide_rows_are_written_as_they_come(tmp_path: Path):
    import pyarrow.parquet as pq

    execute(
        tmp_path / "t.db",
        "create table t as with recursive n(i) as (select 1 union all select i + 1 from n where "
        "i < 200) select i, hex(randomblob(500000)) as wide from n",
    )
    where = Where(Remote(query="select * from t", connection="x"), f"sqlite:///{tmp_path}/t.db", tmp_path)  # fmt: skip
    (piece,) = Sqlite().fetch(where, Before(), tmp_path, lambda _: None).pieces
    said = pq.ParquetFile(piece.path).metadata
    assert said.num_rows == 200
    groups = [said.row_group(n).num_rows for n in range(said.num_row_groups)]
    assert max(groups) <= 128, "a megabyte a row: no more is held than that"


def test_a_database_that_is_locked_is_tried_again_and_then_told(tmp_path: Path, database: Path):
    made = shop(tmp_path, a_query("select id from orders"))
    with closing(sqlite3.connect(database, isolation_level=None)) as con:
        con.execute("begin exclusive")
        with pytest.raises(SourceError, match="busy"):
            run(made)
    assert run(made).published


def test_a_connection_that_leads_to_no_file(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
):
    del database
    monkeypatch.setenv("MESH_CONNECTION_SHOP_DB", "sqlite:///none.db")
    with pytest.raises(SourceError, match="leads to no file"):
        run(shop(tmp_path, a_query("select id from orders")))
    assert not (tmp_path / "none.db").exists()


def test_each_partition_has_rows_of_its_own(tmp_path: Path, database: Path):
    execute(
        database, "alter table orders add day text", "update orders set day = '2020-01-0' || id"
    )
    contract = (
        "apiVersion: v3.2.0\nkind: DataContract\nid: urn:x\nversion: 1.0.0\n"
        "customProperties:\n  - {property: partitions, vendor: dataops_mesh, "
        "value: {cadence: daily, start: 2020-01-01}}\n"
        "schema:\n  - name: orders\n    properties:\n"
        "      - {name: id, logicalType: integer, primaryKey: true}\n"
        "      - {name: day, logicalType: date, required: true, partitioned: true}\n"
    )
    made = shop(
        tmp_path,
        a_query("select id, day from orders where day = '{partition}'"),
        sql="select id, day::date as day from orders_raw",
        contract=contract,
        settings='now = "2020-01-03T12:00:00+00:00"\n',
    )
    assert run(made, partition="2020-01-01").published
    assert run(made, partition="2020-01-02").published
    assert read(made, "select id from shop.orders order by 1") == [(1,), (2,)]
    assert read(made, "select id from shop.orders where day = date '2020-01-02'") == [(2,)]
