"""Each domain's catalog follows the log, and nothing depends on it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from contextlib import suppress

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store_helpers import OURS, WHO, A, B, Crash, crashing, publish

from dataops_mesh.engine.catalog.catalogs import path_of, rebuild, refresh
from dataops_mesh.engine.sql import scan
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.holding import Asked, lift
from dataops_mesh.store.release import rollback
from dataops_mesh.store.removing.withdrawal import withdraw
from dataops_mesh.store.store import open_store

C = Address("network", "routes")
ASKED = Asked("ana", "a reason", OURS)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def ask(store, query, domain="fleet"):
    with duckdb.connect(str(path_of(store, domain)), read_only=True) as con:
        return con.execute(query).fetchall()


def inodes(store):
    return {path.stem: path.stat().st_ino for path in store.catalogs.glob("*.duckdb")}


GENERATIONS = "SELECT (SELECT max(generation) FROM fleet.aircraft), max(generation) FROM engines"


def test_any_client_reads_the_latest_release(store):
    for generation in (1, 2):
        publish(store, generation)
        assert refresh(store) == ()
        assert ask(store, GENERATIONS) == [(generation, generation)]
    rollback(store, (A, B), **WHO)
    refresh(store)
    assert ask(store, GENERATIONS) == [(1, 1)]
    assert ask(store, "SELECT number, store FROM _mesh.release") == [(3, str(store.root))]
    assert ask(store, "SELECT address, publication FROM _mesh.ports ORDER BY 1") == [
        ("fleet.aircraft", 3),
        ("fleet.engines", 3),
    ]


def test_only_the_domain_that_changed_is_written(store):
    publish(store, 1)
    publish(store, 1, (C,), "routes")
    refresh(store)
    before = inodes(store)
    publish(store, 2, (C,), "routes")
    refresh(store)
    after = inodes(store)
    assert after["fleet"] == before["fleet"]
    assert after["network"] != before["network"]
    assert ask(store, "SELECT number FROM _mesh.release") == [(1,)]
    assert ask(store, "SELECT number FROM _mesh.release", "network") == [(3,)]


def test_one_script_opens_all_domains_by_the_same_addresses(store):
    publish(store, 1)
    publish(store, 5, (C,), "routes")
    refresh(store)
    with duckdb.connect() as con:
        con.execute((store.catalogs / "attach.sql").read_text("utf-8"))
        found = con.execute("SELECT count(*) FROM fleet.aircraft, network.routes").fetchall()
    assert found == [(9,)]


@pytest.mark.parametrize("name", ["main", "temp", "system", "memory", "mesh"])
def test_a_domain_may_be_called_as_duckdb_calls_something(store, name):
    publish(store, 4, (Address(name, "things"),), "things")
    refresh(store)
    assert ask(store, "SELECT max(generation) FROM things", name) == [(4,)]
    with duckdb.connect() as con:
        con.execute((store.catalogs / "attach.sql").read_text("utf-8"))


def test_what_is_withdrawn_is_gone_from_it(store):
    publish(store, 1)
    publish(store, 1, (C,), "routes")
    refresh(store)
    withdraw(store, "fleet.aircraft", (A,), ASKED)
    refresh(store)
    assert ask(store, "SELECT max(generation) FROM engines") == [(1,)]
    with pytest.raises(duckdb.CatalogException):
        ask(store, "FROM aircraft")
    assert ask(store, "SELECT address FROM _mesh.ports") == [("fleet.engines",)]


def test_a_domain_of_which_nothing_is_left_has_no_catalog(store):
    publish(store, 1)
    publish(store, 1, (C,), "routes")
    refresh(store)
    withdraw(store, "fleet.routes", (C,), ASKED)
    refresh(store)
    assert inodes(store).keys() == {"fleet"}
    assert "network" not in (store.catalogs / "attach.sql").read_text("utf-8")
    lift(store, "fleet.routes", (C,), ASKED)
    publish(store, 2, (C,), "routes")
    refresh(store)
    assert ask(store, "SELECT max(generation) FROM routes", "network") == [(2,)]


def test_a_catalog_of_a_domain_that_nobody_knows_is_removed(store):
    publish(store, 1)
    refresh(store)
    shutil.copyfile(path_of(store, "fleet"), path_of(store, "ghost"))
    refresh(store)
    assert inodes(store).keys() == {"fleet"}


def test_the_one_catalog_of_older_versions_is_gone_and_not_stale(store):
    publish(store, 1)
    former = ["catalog.duckdb", "catalog.duckdb.wal", "catalog.lock", "cache/catalog.json"]
    for name in former:
        (store.root / name).write_bytes(b"old")
    refresh(store)
    assert not [name for name in former if (store.root / name).exists()]


def test_an_open_client_keeps_its_release_and_a_new_one_gets_the_new(store):
    publish(store, 1)
    refresh(store)
    with duckdb.connect(str(path_of(store, "fleet")), read_only=True) as con:
        publish(store, 2)
        refresh(store)
        assert con.execute(GENERATIONS).fetchall() == [(1, 1)]
    assert ask(store, GENERATIONS) == [(2, 2)]


READER = """
import sys, duckdb
last, many = 0, 0
while last < int(sys.argv[2]):
    with duckdb.connect(sys.argv[1], read_only=True) as con:
        one, other = con.execute(
            "SELECT (SELECT max(generation) FROM fleet.aircraft), max(generation) FROM engines"
        ).fetchone()
    assert one == other >= last, (one, other, last)
    last, many = one, many + 1
print(many)
"""


def test_no_client_fails_while_it_is_replaced(store):
    publish(store, 1)
    refresh(store)
    last = 25
    call = [sys.executable, "-c", READER, str(path_of(store, "fleet")), str(last)]
    readers = [
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for generation in range(2, last + 1):
        publish(store, generation)
        refresh(store)
    for reader in readers:
        out, err = reader.communicate(timeout=120)
        assert reader.returncode == 0, err
        assert int(out) > 0


def test_two_that_refresh_at_once_leave_the_newest(store):
    failed = []

    def work(product: str) -> None:
        try:
            for generation in range(1, 9):
                publish(store, generation, (Address("fleet", product),), product)
                refresh(store)
        except Exception as error:  # noqa: BLE001 - told by the test itself
            failed.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    query = "SELECT (SELECT max(generation) FROM one), max(generation) FROM two"
    assert ask(store, query) == [(8, 8)]


def test_a_catalog_that_is_up_to_date_is_left_alone(store):
    publish(store, 1)
    refresh(store)
    before = inodes(store)
    refresh(store)
    assert inodes(store) == before
    assert rebuild(store) == 1
    assert inodes(store) != before


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_a_lost_or_damaged_catalog_is_written_again(store, content):
    publish(store, 1)
    refresh(store)
    path = path_of(store, "fleet")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert refresh(store) == (() if content is None else (path,))
    assert ask(store, GENERATIONS) == [(1, 1)]


def test_another_database_under_the_catalog_name_is_replaced(store):
    publish(store, 1)
    store.catalogs.mkdir()
    duckdb.connect(str(path_of(store, "fleet"))).close()
    refresh(store)
    assert ask(store, GENERATIONS) == [(1, 1)]


@pytest.mark.parametrize("after", range(1, 20, 3))
def test_a_store_that_was_moved_gets_catalogs_of_the_new_place(store, tmp_path, after):
    publish(store, 1)
    publish(store, 1, (C,), "routes")
    refresh(store)
    shutil.move(store.root, tmp_path / "moved")
    moved = open_store(tmp_path / "moved", create=False)
    with crashing(files, after) as happened, suppress(Crash):
        refresh(moved)
    assert len(happened) == after
    assert refresh(moved) == ()
    assert ask(moved, GENERATIONS) == [(1, 1)]
    assert ask(moved, "SELECT max(generation) FROM routes", "network") == [(1,)]
    assert str(store.root) not in (moved.catalogs / "attach.sql").read_text("utf-8")


def test_nothing_is_left_behind(store):
    publish(store, 1)
    refresh(store)
    refresh(store)
    assert list(store.scratch.iterdir()) == []
    here = sorted(path.name for path in store.catalogs.iterdir())
    assert here == ["attach.sql", "fleet.duckdb", "write.lock"]


NAMES = (
    [f"day={n}/part-0.parquet" for n in range(40)],
    [f"{n}'s [x] $1.parquet" for n in range(40)],
    [f"a|b;c {'x' * n}.parquet" for n in range(40)],
    [f"p{n}/part-{m}.parquet" for n in range(10) for m in range(3)],
    ["line\nbreak.parquet", *(f"{n}.parquet" for n in range(20))],
    ["aaa", *("a" * n for n in range(4, 30))],
)


@pytest.mark.parametrize("names", NAMES)
def test_a_view_names_exactly_the_files_of_the_port(tmp_path, names):
    paths = [tmp_path / name for name in names]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"n": [number]}), path)
    pq.write_table(pa.table({"n": [999]}), tmp_path / "stranger.parquet")
    for short in (True, False):
        relation = scan("read_parquet", paths, short=short)
        found = duckdb.execute(f"select n from {relation} order by n")
        assert [row[0] for row in found.fetchall()] == list(range(len(names)))


def test_what_a_view_says_is_a_quarter_of_the_names(tmp_path):
    paths = [tmp_path / f"candidates/fleet/aircraft/{n:032}/aircraft/p.parquet" for n in range(99)]
    long, short = (len(scan("read_parquet", paths, short=short)) for short in (False, True))
    assert short < long / 2
