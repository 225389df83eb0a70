"""A session sees one release and nothing else, whatever SQL it is given."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest
from store_helpers import T0, A, B, publish

from dataops_mesh.engine.session import bind_release, bind_source, seal, session
from dataops_mesh.errors import Location, NotPublishedError, SourceError
from dataops_mesh.spec.model import Address, Source, SourceFormat
from dataops_mesh.store.store import open_store

HERE = Location("product.odps.yaml", 3)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def opened(store, **more: object):
    return session(store, **{"memory_limit": "500MB", "threads": 2, "now": T0} | more)


ATTACKS = [
    "COPY (SELECT 1) TO '{root}/stolen.csv'",
    "COPY (SELECT 1) TO '{root}/heads/production/00000009.json'",
    "ATTACH '{root}/x.duckdb'",
    "ATTACH '{root}/catalogs/fleet.duckdb' (READ_ONLY)",
    "FROM read_csv('/etc/passwd')",
    "FROM read_text('/proc/self/environ')",
    "FROM read_blob('{root}/store.json')",
    "FROM read_json('{root}/store.json')",
    "FROM '/etc/passwd'",
    "FROM glob('/etc/*')",
    "FROM glob('{root}/**')",
    "FROM read_parquet('{root}/candidates/*/*/*/*/*.parquet')",
    "FROM read_parquet('{published}/../../../../x.parquet')",
    "FROM parquet_metadata('{root}/candidates/secret.parquet')",
    "FROM sniff_csv('/etc/passwd')",
    "CREATE TABLE x AS FROM read_csv('/etc/passwd')",
    "COPY x FROM '/etc/passwd'",
    "EXPORT DATABASE '{root}/dump'",
    "IMPORT DATABASE '{root}/dump'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{root}/evil.duckdb_extension'",
    "FROM read_csv('https://example.org/x.csv')",
    "CREATE PERSISTENT SECRET x (TYPE s3)",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET allowed_directories = ['/']",
    "SET temp_directory = '{root}'",
    "SET python_enable_replacements = true",
    "PRAGMA memory_limit = '100GB'",
    "SELECT getenv('HOME')",
    "FROM secret_variable",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_sealed_session_reads_and_changes_nothing_else(store, attack):
    release = publish(store, 1)
    secret_variable = [{"value": 1}]
    assert secret_variable
    with opened(store) as con:
        found = bind_release(con, store, release, [A])
        before = sorted(store.root.rglob("*"))
        seal(con, found)
        with pytest.raises(duckdb.Error):
            con.execute(attack.format(root=store.root, published=found[0].parent)).fetchall()
        assert con.execute("SELECT sum(generation) FROM fleet.aircraft").fetchone() == (3,)
        assert sorted(store.root.rglob("*")) == before


def test_a_sealed_session_still_spills_to_its_own_folder(store):
    release = publish(store, 1)
    with opened(store, memory_limit="100MB") as con:
        seal(con, bind_release(con, store, release, [A]))
        con.execute("CREATE TEMP TABLE big AS SELECT range i, hash(range) h FROM range(12_000_000)")
        assert list(store.scratch.glob("*/*"))
        assert con.execute("SELECT count(*) FROM big").fetchone() == (12_000_000,)
    assert list(store.scratch.iterdir()) == []


def test_a_sealed_session_writes_where_it_was_told_to(store, tmp_path):
    (tmp_path / "out").mkdir()
    with opened(store) as con:
        seal(con, [tmp_path / "out"])
        con.execute(f"COPY (SELECT 1) TO '{tmp_path}/out/x.parquet'")
        with pytest.raises(duckdb.PermissionException):
            con.execute(f"COPY (SELECT 1) TO '{tmp_path}/x.parquet'")


def test_only_the_addresses_that_were_bound_can_be_named(store):
    release = publish(store, 1)
    with opened(store) as con:
        bind_release(con, store, release, [A])
        with pytest.raises(duckdb.CatalogException):
            con.execute("FROM fleet.engines")
        with pytest.raises(NotPublishedError, match=r'did you mean "fleet\.engines"'):
            bind_release(con, store, release, [Address("fleet", "engine")])


def test_a_release_bound_stays_the_same_while_others_are_published(store):
    release = publish(store, 1)
    with opened(store) as con:
        bind_release(con, store, release, [A, B])
        publish(store, 2)
        query = "SELECT DISTINCT generation FROM fleet.aircraft"
        assert con.execute(query).fetchall() == [(1,)]


def test_the_clock_of_a_session_is_the_replay_clock_in_utc(store):
    with opened(store, now=T0.astimezone()) as con:
        assert con.execute("SELECT mesh_now()").fetchone() == (T0,)
        day = "SELECT '2013-01-01 12:00:00'::TIMESTAMPTZ = mesh_now()"
        assert con.execute(day).fetchone() == (True,)
        later = con.execute("SELECT mesh_now() + INTERVAL 1 DAY").fetchone()
        assert later == (T0 + timedelta(days=1),)


def test_names_and_paths_with_quotes_are_names_and_paths(tmp_path):
    store = open_store(tmp_path / 'it\'s "a" store')
    odd = Address('do"main', "po'rt")
    release = publish(store, 1, (odd,), "odd")
    (tmp_path / "it's.csv").write_text("a\n1\n")
    source = Source("it's.csv", SourceFormat.CSV, HERE)
    with opened(store) as con:
        bind_release(con, store, release, [odd])
        bind_source(con, 'x"; DROP', [tmp_path / "it's.csv"], source)
        assert con.execute('SELECT count(*) FROM "do""main"."po\'rt"').fetchone() == (3,)
        assert con.execute('FROM "x""; DROP"').fetchall() == [(1,)]


def test_the_options_of_a_source_reach_the_reader(store, tmp_path):
    path = tmp_path / "planes.csv"
    path.write_text("tail;year\nN1;NA\nN2;1999\n")
    options = (("delim", ";"), ("header", True), ("nullstr", "NA"), ("types", (("year", "INT"),)))
    with opened(store) as con:
        bind_source(con, "planes", [path], Source("x", SourceFormat.CSV, HERE, options=options))
        assert con.execute("FROM planes").fetchall() == [("N1", None), ("N2", 1999)]


def test_json_and_parquet_are_read_too(store, tmp_path):
    (tmp_path / "a.json").write_text('[{"a": 1}, {"a": 2}]')
    with opened(store) as con:
        con.execute(f"COPY (SELECT 3 AS a) TO '{tmp_path}/a.parquet'")
        for kind in (SourceFormat.JSON, SourceFormat.PARQUET):
            found = [tmp_path / f"a.{kind}"]
            bind_source(con, str(kind), found, Source("x", kind, HERE))
        assert con.execute("SELECT (SELECT sum(a) FROM json), (FROM parquet)").fetchone() == (3, 3)


def test_an_option_cannot_smuggle_sql(store, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    source = Source("x", SourceFormat.CSV, HERE, options=(("header) , (SELECT 1", True),))
    with opened(store) as con, pytest.raises(SourceError, match="not an option"):
        bind_source(con, "a", [path], source)


def test_the_error_of_an_unreadable_source_repeats_no_value(store, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text('iban,n\n"DE89 3704,1\n')
    options = (("columns", (("iban", "INT"), ("n", "INT"))), ("quote", '"'))
    source = Source("x", SourceFormat.PARQUET, HERE)
    with opened(store) as con, pytest.raises(SourceError) as caught:
        bind_source(con, "people", [path], source)
    assert options
    assert "3704" not in str(caught.value)
    assert "product.odps.yaml:3" in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_opaque_file_is_not_bound(store, tmp_path):
    with opened(store) as con, pytest.raises(SourceError, match="Python transform"):
        bind_source(con, "zip", [tmp_path / "x.zip"], Source("x", SourceFormat.FILE, HERE))
