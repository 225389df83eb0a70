"""Consumers read one whole release, and only read."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest
from store_helpers import A, built, publish

from dataops_mesh.engine.data import data_finder
from dataops_mesh.engine.read import connect
from dataops_mesh.errors import NotPublishedError, StoreError, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.collect import collect
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.release import latest
from dataops_mesh.store.store import open_store

GENERATION = (
    "SELECT max(generation), (SELECT max(generation) FROM fleet.engines) FROM fleet.aircraft"
)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def test_a_refused_candidate_is_never_readable(store):
    publish(store, 1)
    with built(store, 2, verdict="refuse") as (_, manifest), connect(store.root) as mesh:
        assert mesh.execute(GENERATION).fetchone() == (1, 1)
        hidden = folder(store, manifest.candidate) / "aircraft" / "part-0.parquet"
        assert hidden.exists()
        with pytest.raises(duckdb.Error):
            mesh.execute(f"FROM read_parquet('{hidden}')")


def test_an_open_reader_keeps_its_release_through_publication_and_collection(store):
    publish(store, 1)
    with connect(store.root) as mesh:
        for generation in (2, 3, 4):
            publish(store, generation)
        collect(store, keep_releases=1, grace_seconds=0)
        assert mesh.execute(GENERATION).fetchone() == (1, 1)
        assert mesh.release.number == 1
    assert len(collect(store, keep_releases=1, grace_seconds=0).candidates) == 1
    with connect(store.root) as mesh:
        assert mesh.execute(GENERATION).fetchone() == (4, 4)


def test_an_old_release_is_read_by_its_number(store):
    publish(store, 1)
    publish(store, 2)
    with connect(store.root, 1) as mesh:
        assert mesh.execute(GENERATION).fetchone() == (1, 1)
    with pytest.raises(UnknownNameError, match="valid: 1, 2"):
        connect(store.root, 3)


FORGERIES = [
    "COPY (SELECT 666 AS generation) TO '{path}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 666) TO '{path}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN /* */ ANALYZE COPY (SELECT 6) TO '{path}' (FORMAT parquet, USE_TMP_FILE false)",
    "SELECT 1; COPY (SELECT 666) TO '{path}' (FORMAT parquet, USE_TMP_FILE false)",
    "PREPARE x AS COPY (SELECT 666) TO '{path}' (FORMAT parquet, USE_TMP_FILE false)",
    "CALL enable_logging(storage = 'file', storage_config = {{'path': '{path}'}})",
    "FROM enable_logging(storage = 'file', storage_config = {{'path': '{path}'}})",
    "CREATE VIEW x AS SELECT 1",
    "DROP VIEW fleet.aircraft",
    "ATTACH ':memory:' AS x",
    "SET threads = 1",
    "BEGIN",
    "",
]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_published_data_cannot_be_changed_through_a_reader(store, forgery):
    release = publish(store, 1)
    path = data_finder(store)(A, release.ports[A])[0]
    content = path.read_bytes()
    with connect(store.root) as mesh:
        with pytest.raises(StoreError, match="only read"):
            mesh.execute(forgery.format(path=path))
        assert mesh.execute(GENERATION).fetchone() == (1, 1)
    assert path.read_bytes() == content


def test_a_reader_hands_out_rows_and_never_its_connection(store):
    publish(store, 1)
    with connect(store.root) as mesh:
        rows = mesh.execute("SELECT generation FROM fleet.aircraft WHERE generation = ?", [1])
        assert rows.columns == ("generation",)
        assert not isinstance(rows, duckdb.DuckDBPyConnection)
        assert rows.fetchall() == [(1,)] * 3
        assert mesh.execute("EXPLAIN SELECT 1").fetchall()
        assert mesh.execute("FROM fleet.aircraft").arrow().num_rows == 3
        assert list(mesh.execute("FROM fleet.aircraft").df()["generation"]) == [1, 1, 1]


def test_closing_gives_up_the_pin_and_the_scratch_folder(store):
    publish(store, 1)
    connect(store.root).close()
    assert list(store.pins.iterdir()) == []
    assert list(store.scratch.iterdir()) == []


def test_only_the_addresses_asked_for_are_bound(store):
    publish(store, 1)
    with connect(store.root, addresses=[A]) as mesh:
        assert mesh.execute("SELECT count(*) FROM fleet.aircraft").fetchone() == (3,)
        with pytest.raises(duckdb.CatalogException):
            mesh.execute("FROM fleet.engines")
    with pytest.raises(NotPublishedError):
        connect(store.root, addresses=[Address("fleet", "x")])
    assert list(store.pins.iterdir()) == []


def test_an_empty_store_is_readable(store):
    with connect(store.root) as mesh:
        assert mesh.execute("SELECT 1").fetchall() == [(1,)]


READ_ONLY = """
import os, sys
from pathlib import Path
import duckdb, pyarrow
from dataops_mesh.engine import read, session, sql
from dataops_mesh.store import collect, locks, log, manifest, pins, record, release, scratch, store
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with read.connect(Path(sys.argv[1])) as mesh:
    print(mesh.execute("SELECT max(generation) FROM fleet.aircraft").fetchone()[0])
"""


def test_a_store_that_may_only_be_read_is_read():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        store = open_store(root)
        publish(store, 5)
        every = [Path(folder), root, *root.rglob("*")]
        for path in every:
            path.chmod(0o555 if path.is_dir() else 0o444)
        found = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(root)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        for path in every:
            if path.is_dir():
                path.chmod(0o755)
        assert (found.stdout, found.returncode) == ("5\n", 0), found.stderr
        assert latest(store).number == 1
        assert list(store.pins.iterdir()) == []
