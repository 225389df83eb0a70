"""The catalog follows the log, and nothing depends on it."""

from __future__ import annotations

import shutil
import time

import duckdb
import pytest
from store_helpers import WHO, A, B, publish

from dataops_mesh.engine.catalog import rebuild, refresh
from dataops_mesh.spec.model import Address
from dataops_mesh.store.release import rollback
from dataops_mesh.store.store import open_store


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def ask(store, query):
    with duckdb.connect(str(store.catalog_file), read_only=True) as con:
        return con.execute(query).fetchall()


GENERATIONS = (
    "SELECT (SELECT max(generation) FROM fleet.aircraft), max(generation) FROM fleet.engines"
)


def test_any_client_reads_the_latest_release(store):
    for generation in (1, 2):
        publish(store, generation)
        assert refresh(store) == generation
        assert ask(store, GENERATIONS) == [(generation, generation)]
    rollback(store, (A, B), **WHO)
    refresh(store)
    assert ask(store, GENERATIONS) == [(1, 1)]
    assert ask(store, "SELECT number, store FROM mesh.release") == [(3, str(store.root))]


def test_an_open_client_keeps_its_release_and_a_new_one_gets_the_new(store, tmp_path):
    publish(store, 1)
    refresh(store)
    with duckdb.connect(str(store.catalog_file), read_only=True) as con:
        publish(store, 2)
        refresh(store)
        assert con.execute(GENERATIONS).fetchall() == [(1, 1)]
    assert ask(store, GENERATIONS) == [(2, 2)]


def test_a_catalog_that_is_up_to_date_is_left_alone(store):
    publish(store, 1)
    refresh(store)
    before = store.catalog_file.stat()
    assert refresh(store) == 1
    assert store.catalog_file.stat().st_ino == before.st_ino
    rebuild(store)
    assert store.catalog_file.stat().st_ino != before.st_ino


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_a_lost_or_damaged_catalog_is_written_again(store, content):
    publish(store, 1)
    refresh(store)
    if content is None:
        store.catalog_file.unlink()
    else:
        store.catalog_file.write_bytes(content)
    assert refresh(store) == 1
    assert ask(store, GENERATIONS) == [(1, 1)]


def test_another_database_under_the_catalog_name_is_replaced(store):
    publish(store, 1)
    duckdb.connect(str(store.catalog_file)).close()
    refresh(store)
    assert ask(store, GENERATIONS) == [(1, 1)]


def test_a_store_that_was_moved_gets_a_catalog_of_the_new_place(store, tmp_path):
    publish(store, 1)
    refresh(store)
    shutil.move(store.root, tmp_path / "moved")
    moved = open_store(tmp_path / "moved", create=False)
    assert refresh(moved) == 1
    assert ask(moved, GENERATIONS) == [(1, 1)]


def test_nothing_is_left_behind(store):
    publish(store, 1)
    refresh(store)
    refresh(store)
    assert list(store.scratch.iterdir()) == []
    assert sorted(path.name for path in store.root.glob("catalog*")) == [
        "catalog.duckdb",
        "catalog.lock",
    ]


def test_one_publication_among_a_thousand_does_not_rewrite_all_views(store):
    many = tuple(Address(f"d{n % 20}", f"p{n}") for n in range(300))
    publish(store, 1, many, "many")
    rebuild(store)
    publish(store, 2)
    begun = time.perf_counter()
    refresh(store)
    one = time.perf_counter() - begun
    begun = time.perf_counter()
    rebuild(store)
    assert one < (time.perf_counter() - begun) / 2
