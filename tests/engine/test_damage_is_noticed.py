"""A changed file is noticed by whoever binds it, and harms no other port; so is the catalog."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from helpers import a_product, environment, run, write_workspace
from store_helpers import WHO, A, B, Crash, crashing, publish

from dataops_mesh.engine.catalog.catalogs import changed, path_of, refresh
from dataops_mesh.engine.read import connect
from dataops_mesh.engine.session import bind_release
from dataops_mesh.errors import CorruptError
from dataops_mesh.factory.domain import load_domain
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, sound
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.release import rollback
from dataops_mesh.store.sound import require_sound
from dataops_mesh.store.store import open_store

C = Address("network", "routes")
KEY = "{name: id, logicalType: integer, primaryKey: true}"
SELECT = "select 1 as id"


def catalog(store, domain="fleet"):
    return path_of(store, domain)


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path / "store")
    publish(found, 1)
    publish(found, 2)
    publish(found, 7, (C,), "routes")
    return found


def file_of(store, address) -> Path:
    root = folder(store, latest(store).ports[address].candidate)
    return root / address.port / "part-0.parquet"


def overwrite(path: Path, how: str) -> None:
    """What a transform or a hook does with `copy (...) to '<published file>'`."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    path.chmod(0o644)
    if how == "other rows":
        duckdb.execute(
            f"copy (select 666 as generation from range(3)) to '{path}' (format parquet)"
        )
    elif how == "one bit, the old time":
        data[30] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == "another file under its name":
        data[30] ^= 1
        path.unlink()
        path.write_bytes(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == "shorter":
        path.write_bytes(data[:-9])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()


WAYS = (
    "other rows", "one bit, the old time", "another file under its name", "shorter", "empty", "gone",
)  # fmt: skip


@pytest.mark.parametrize("how", WAYS)
def test_one_damaged_file_makes_one_port_unreadable_and_says_which(store, how):
    path = file_of(store, A)
    overwrite(path, how)
    with connect(store.root) as mesh:
        assert mesh.execute("select max(generation) from network.routes").fetchall() == [(7,)]
        assert mesh.execute("select max(generation) from fleet.engines").fetchall() == [(2,)]
        for query in ("from fleet.aircraft", "from network.routes, fleet.aircraft"):
            with pytest.raises(CorruptError) as told:
                mesh.execute(query)
    for word in ("fleet.aircraft", "publication 2", str(path), "mesh rollback fleet.aircraft"):
        assert word in str(told.value)
    with duckdb.connect() as con, pytest.raises(CorruptError):
        bind_release(con, store, latest(store), [A])
    rollback(store, (A, B), **WHO)
    with connect(store.root) as mesh:
        assert mesh.execute("select max(generation) from fleet.aircraft").fetchall() == [(1,)]


@pytest.mark.parametrize("how", WAYS)
def test_the_catalog_shows_no_damaged_file_and_all_others(store, how):
    overwrite(file_of(store, A), how)
    refresh(store)
    with duckdb.connect(str(catalog(store, "network")), read_only=True) as con:
        assert con.execute("select max(generation) from network.routes").fetchall() == [(7,)]
    with (
        duckdb.connect(str(catalog(store)), read_only=True) as con,
        pytest.raises(duckdb.Error, match=r"fleet\.aircraft \(publication 2\)"),
    ):
        con.execute("from fleet.aircraft").fetchall()


def test_a_store_that_was_copied_is_read_once_and_then_believed(store, tmp_path, monkeypatch):
    shutil.copytree(store.root, tmp_path / "copy")
    copied = open_store(tmp_path / "copy")
    read = []
    real = files.digest
    monkeypatch.setattr(sound.files, "digest", lambda path: read.append(path) or real(path))
    for _ in range(3):
        with connect(copied.root) as mesh:
            assert mesh.execute("select max(generation) from fleet.aircraft").fetchall() == [(2,)]
    assert len(read) == 3
    with connect(store.root):
        assert len(read) == 3
    overwrite(file_of(copied, A), "one bit, the old time")
    with pytest.raises(CorruptError):
        require_sound(copied, A, latest(copied).ports[A])


def test_a_file_that_is_only_touched_stays_readable(store):
    os.utime(file_of(store, A))
    with connect(store.root) as mesh:
        assert mesh.execute("select max(generation) from fleet.aircraft").fetchall() == [(2,)]


@pytest.mark.parametrize("closed", [True, False])
def test_a_catalog_that_a_client_changed_is_noticed_and_written_again(store, closed):
    refresh(store)
    assert not changed(store)
    assert oct(catalog(store).stat().st_mode & 0o777) == "0o444"
    catalog(store).chmod(0o644)
    assert not changed(store)
    con = duckdb.connect(str(catalog(store)))
    con.execute("create or replace view aircraft as select 666 as generation")
    if closed:
        con.close()
    assert changed(store)
    refresh(store)
    con.close()
    assert not changed(store)
    with duckdb.connect(str(catalog(store)), read_only=True) as reader:
        assert reader.execute("select max(generation) from fleet.aircraft").fetchall() == [(2,)]


def test_a_crash_while_it_is_written_makes_nobody_a_culprit(store):
    refresh(store)
    for after in range(100):
        publish(store, 10 + after)
        with crashing(files, after) as happened, suppress(Crash):
            refresh(store)
        assert not changed(store), f"after {happened}"
        if len(happened) < after:
            break
        catalog(store).chmod(0o644)
        with catalog(store).open("ab") as file:
            file.write(b"x")
        assert changed(store)
        refresh(store)
    assert after > len(("write", "replace", "move", "replace"))


def test_clients_of_duckdb_1_0_know_the_format_of_the_catalog(store):
    refresh(store)
    assert catalog(store).read_bytes()[12:20] == (64).to_bytes(8, "little")


def test_a_catalog_of_an_older_version_is_written_in_the_new_format(store):
    store.catalogs.mkdir()
    with duckdb.connect() as con:
        con.execute(f"attach '{catalog(store)}' as old (storage_version 'v1.5.0')")
        con.execute("create table old.t as select 1")
        con.execute("detach old")
    refresh(store)
    assert catalog(store).read_bytes()[12:20] == (64).to_bytes(8, "little")


def test_the_schedule_of_a_domain_finds_a_change_that_shows_from_nowhere_else(tmp_path):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": a_product({"orders": [KEY]}, files={"orders.sql": SELECT})}}
    )
    run(settings, "shop.orders")
    defs = load_domain(tmp_path / "domains" / "shop")
    (schedule,) = (one for one in defs.schedules or () if one.name == "shop_verify_schedule")
    assert schedule.cron_schedule == settings.verify
    verify = schedule.job
    assert verify.execute_in_process(raise_on_error=False).success
    kept = environment(settings).store
    ref = latest(kept).ports[Address("shop", "orders")].candidate
    path = folder(kept, ref) / "orders" / "part-0.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(dg.Failure, match="has another content than its manifest says"):
        verify.execute_in_process()
