"""Queries on a real PostgreSQL: each value as it is there, or a refusal that names the column."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from fetch_cases import everything_said, fetched, run, shop
from helpers import environment, product, read
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from postgres_cases import a_query, execute

from dataops_mesh.errors import DeclarationError, SourceError
from dataops_mesh.fetch.driver import Before, Where
from dataops_mesh.fetch.faults import Refusal
from dataops_mesh.fetch.postgres import Postgres
from dataops_mesh.run.inputs.fetching import Fetching
from dataops_mesh.spec.remote import Remote

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_drivers]
UTC = dt.UTC


def rows(url: str, query: str, into: Path) -> list[tuple[object, ...]]:
    """Return the rows of a query as DuckDB reads the file that was made of it."""
    import duckdb

    into.mkdir(exist_ok=True)
    where = Where(Remote(query=query, connection="x"), url, into)
    (piece,) = Postgres().fetch(where, Before(), into, lambda _: None).pieces
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        return con.execute(f"from read_parquet('{piece.path}')").fetchall()


def theirs(url: str, query: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url, options="-c TimeZone=UTC")
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


TYPES = {
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "float8": st.floats(allow_nan=False, allow_subnormal=False),
    "real": st.floats(allow_nan=False, allow_subnormal=False, width=32),
    "numeric(10,4)": st.decimals(-999_999, 999_999, places=4),
    "numeric(38,10)": st.decimals(Decimal(-(10**27)), Decimal(10**27), places=10),
    "boolean": st.booleans(),
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    "varchar(20)": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    "bytea": st.binary(max_size=20),
    "date": st.dates(),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(timezones=st.just(UTC)),
    "time": st.times(),
    "uuid": st.uuids(),
    "int[]": st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=4),
    "text[]": st.lists(
        st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
        max_size=4,
    ),
    "date[]": st.lists(st.dates(), max_size=3),
}


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # what fails here fails by its type
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_value_comes_through_exactly(tmp_path: Path, database: str, data: st.DataObject):
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(TYPES))
    values = st.tuples(*(st.none() | one for one in TYPES.values()))
    made = data.draw(st.lists(values, max_size=5))
    execute(database, "drop table if exists t", f"create table t (n int, {columns})")
    marks = ", ".join(f"cast(%s as {kind})" for kind in TYPES)
    connection = psycopg2.connect(database)
    with closing(connection), connection, connection.cursor() as cursor:
        for number, row in enumerate(made):
            cursor.execute(f"insert into t values ({number}, {marks})", [*map(told, row)])
    found = sorted(rows(database, "select * from t", tmp_path / "q"), key=lambda row: row[0])
    wanted = theirs(database, "select * from t order by n")
    assert len(found) == len(wanted)
    for own, other in zip(found, wanted, strict=True):
        for kind, ours, psycopgs in zip(("int", *TYPES), own, other, strict=True):
            assert same(kind, ours, psycopgs), (kind, ours, psycopgs)


def told(value: object) -> object:
    """Return a value as psycopg takes it."""
    if isinstance(value, bytes):
        return psycopg2.Binary(value)
    return str(value) if isinstance(value, uuid.UUID) else value


def same(kind: str, ours: object, psycopgs: object) -> bool:
    if psycopgs is None or ours is None:
        return ours is psycopgs
    match kind:
        case "bytea":
            return ours == bytes(psycopgs)
        case "uuid":
            return str(ours) == str(psycopgs)
        case "real":
            return math.isclose(ours, psycopgs, rel_tol=1e-6) or ours == psycopgs
        case "date[]" | "text[]" | "int[]" if isinstance(psycopgs, str):
            return psycopgs == "{}" and ours == []
    return ours == psycopgs


def test_json_and_enumerations_are_their_text(tmp_path: Path, database: str):
    execute(database, "create type mood as enum ('sad', 'ok')")
    query = """select '{"b":1,  "a":[1,null]}'::json j, '{"b":1}'::jsonb k, 'ok'::mood m,
               E'it''s' s, null::mood n -- a comment"""
    assert rows(database, query, tmp_path / "q") == [
        ('{"b":1,  "a":[1,null]}', '{"b": 1}', "ok", "it's", None)
    ]


REFUSED = {
    "sum(1.5)": "numeric of any length",
    "'NaN'::numeric(5,2)": "NaN",
    "'infinity'::date": "infinity",
    "'-infinity'::timestamptz": "infinity",
    "'infinity'::timestamp": "infinity",
    "array['infinity'::date]": "infinity",
    "array[[1,2],[3,4]]": "arrays of arrays",
    "interval '1 month'": "type interval",
    "inet '1.2.3.4'": "type inet",
    "money '12.3'": "type money",
    "4000000000::oid": "type oid",
    "time with time zone '01:02+02'": "type timetz",
    "row(1, 2)": "type record",
    "array[1.5]::numeric(5,1)[]": "type numeric array",
    "point(1,2)": "type point",
}


@pytest.mark.parametrize("value", REFUSED)
def test_what_would_not_be_exact_is_refused_by_name(tmp_path: Path, database: str, value: str):
    with pytest.raises(Refusal, match=REFUSED[value]) as told:
        rows(database, f"select {value} as strange", tmp_path / "q")
    assert '"strange"' in str(told.value)
    assert told.value.then


def test_a_product_reads_a_query(tmp_path: Path, database: str):
    execute(database, "create table orders (id int, paid numeric(8,2))")
    settings = shop(
        tmp_path,
        a_query("select id, paid from orders where id > 0"),
        "{name: id, logicalType: integer, primaryKey: true}",
        "{name: paid, logicalType: number, physicalType: 'DECIMAL(8,2)'}",
        sql="select id, paid from orders_raw",
    )
    execute(database, "insert into orders values (1, 2.50), (-1, 1), (2, null)")
    assert run(settings).published
    assert read(settings, "select * from shop.orders order by 1") == [
        (1, Decimal("2.50")), (2, None)
    ]  # fmt: skip
    execute(database, "delete from orders where id = 2")
    assert run(settings).published
    assert read(settings, "select id from shop.orders") == [(1,)]
    assert database.encode() not in everything_said(settings)


def test_no_rows_have_columns_all_the_same(tmp_path: Path, database: str):
    import duckdb

    where = Where(Remote(query="select 1::int a, now() b where false"), database, tmp_path)
    (piece,) = Postgres().fetch(where, Before(), tmp_path, lambda _: None).pieces
    described = duckdb.sql(f"describe from '{piece.path}'").fetchall()
    assert [row[:2] for row in described] == [("a", "INTEGER"), ("b", "TIMESTAMP WITH TIME ZONE")]


def test_the_same_rows_are_the_same_content_and_kept_once(tmp_path: Path, database: str):
    execute(database, "create table orders as select g as id from generate_series(1, 1000) g")
    settings = shop(tmp_path, a_query("select id from orders order by id"))
    assert run(settings).published
    first = fetched(settings)
    assert run(settings).published
    assert fetched(settings) == first


def test_changed_answers_whether_the_query_runs(tmp_path: Path, database: str):
    execute(
        database,
        "create table orders (id int, at timestamptz)",
        "insert into orders values (1, '2020-01-01')",
        "create sequence runs",
    )
    # A sequence counts who asked, and a transaction that may only read cannot draw from it.
    changed = ", changed: 'select max(at) from orders'"
    settings = shop(tmp_path, a_query("select id from orders", changed))
    assert run(settings).published
    execute(database, "insert into orders values (2, '2019-01-01')")  # which `changed` misses
    assert run(settings).published
    assert read(settings, "select count(*) from shop.orders") == [(1,)]
    execute(database, "insert into orders values (3, '2021-01-01')")
    assert run(settings).published
    assert read(settings, "select count(*) from shop.orders") == [(3,)]


WRITES = [
    "with gone as (delete from orders returning id) select id from gone",
    "select nextval('counter') as id",
    "select set_config('transaction_read_only', 'off', false) as id",
]


@pytest.mark.parametrize("query", WRITES)
def test_nothing_is_written_there(tmp_path: Path, database: str, query: str):
    execute(
        database,
        "create table orders as select 1 as id",
        "create sequence counter",
    )
    with pytest.raises((SourceError, DeclarationError), match=r"may only read|database|SELECT"):
        run(shop(tmp_path, a_query(query)))
    assert theirs(database, "select id from orders") == [(1,)]
    assert theirs(database, "select is_called from counter") == [(False,)]


@pytest.mark.parametrize(
    "query",
    [
        "delete from orders",
        "select 1 as id; drop table orders",
        "copy orders to stdout",
        "create table x as select 1",
        "select id into x from orders",
        "",
    ],
)
def test_what_is_no_select_is_refused_where_it_stands(tmp_path: Path, query: str):
    with pytest.raises(DeclarationError, match=r"product.odps.yaml:\d+"):
        product(shop(tmp_path, a_query(query)), "shop.orders")


def test_a_look_asks_changed_and_nothing_else(tmp_path: Path, database: str):
    execute(database, "create table orders as select 1 as id")
    changed = ", changed: 'select max(id) from orders', every: 1m"
    settings = shop(tmp_path, a_query("select id from orders", changed))
    found = product(settings, "shop.orders")
    (port,) = found.inputs
    fetching = Fetching.of(environment(settings))
    assert not fetching.look(found, port, "")
    assert not fetched(settings)
