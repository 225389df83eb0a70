"""A full disk, a store that may only be read or was moved, a clock that goes backwards."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from helpers import (
    a_product,
    an_input,
    environment,
    product,
    product_status,
    roll_back,
    run,
    write_product,
    write_workspace,
)
from hostile_cases import ORDERS, deliver, ids, orders, shop

from dataops_mesh.engine.catalog import catalogs
from dataops_mesh.errors import MeshError, NotPublishedError, SourceError
from dataops_mesh.run import product as running
from dataops_mesh.run.record import product_history
from dataops_mesh.settings import load_settings
from dataops_mesh.store.collect import collect
from dataops_mesh.store.history import history
from dataops_mesh.store.log import latest_number
from dataops_mesh.watch.collection import collect_store

# --- a full disk

MOUNT = 'mount -t tmpfs -o size=6m tmpfs "$1" && shift && exec "$@"'


def can_mount() -> bool:
    """Tell whether we may mount a small disk that nobody else sees."""
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-m", "sh", "-c", MOUNT, "sh", "/mnt", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("kind", ["tmpfs", "limit"] if can_mount() else ["limit"])
def test_a_disk_that_fills_up_loses_nothing_and_can_be_emptied(tmp_path: Path, kind: str) -> None:
    """A small disk where we may mount one; everywhere, a limit on the size of a file."""
    store = tmp_path / "store"
    store.mkdir()
    script = str(Path(__file__).with_name("full_disk.py"))
    command = [sys.executable, script, str(tmp_path), kind]
    if kind == "tmpfs":
        command = ["unshare", "-m", "sh", "-c", MOUNT, "sh", str(store), *command]
    variables = {
        **{k: v for k, v in os.environ.items() if not k.startswith("DATAOPS_MESH_")},
        "DATAOPS_MESH_STORE": str(store),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[-3:]) == (0, "ok\n"), done.stdout + done.stderr
    said = {"tmpfs": "No space left on device", "limit": "File too large"}[kind]
    assert done.stdout.count(said) >= 1, done.stdout


# --- a store that may only be read

AS_NOBODY = """
import sys
from pathlib import Path
from helpers import environment, product, product_status, run, read
from dataops_mesh.settings import load_settings
from dataops_mesh.errors import MeshError
from dataops_mesh.run.record import product_history
from dataops_mesh.watch.trouble import look
import dataops_mesh.quality.session, sqlalchemy.dialects.sqlite, dataops_mesh.watch.repair, dataops_mesh.ledger.schema, os
settings = load_settings(Path(sys.argv[1]))
found = product(settings, "shop.orders")
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(read(settings, "select id from shop.orders"))
try:
    run(settings, "shop.orders")
except MeshError as error:
    print(type(error).__name__, error.problems[0].what)
here = environment(settings)
print(product_status(here)["shop.orders"].publication, len(product_history(here, "shop.orders", 9)))
print(look([found], here))
"""


def test_a_run_on_a_store_that_may_only_be_read_says_so_and_reading_goes_on() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        settings = shop(root)
        deliver(settings, 5)
        with closing(sqlite3.connect(settings.store_folder / "ledger.sqlite")) as ledger:
            for younger in ("attempts", "evidence", "operations"):
                ledger.execute(f"drop table {younger}")  # as an older version wrote it
        every = [root, *root.rglob("*")]
        for path in every:
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(root)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        for path in every:
            path.chmod(0o755)
        first, second, looked, incidents = done.stdout.splitlines() or [done.stderr]
        assert first == "[(5,)]", done.stderr
        assert second.startswith("RunError the run failed")
        assert looked == "1 1"  # the run that failed could not be put on record
        assert incidents == "()"


# --- a store that was moved


def test_a_store_that_was_moved_goes_on_where_it_is(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1, 2)
    moved = tmp_path / "elsewhere" / "store"
    moved.parent.mkdir()
    settings.store_folder.rename(moved)
    there = load_settings(tmp_path, store=moved)
    assert ids(there) == [2]
    assert catalogs.rebuild(environment(there).store) == 2
    with duckdb.connect(str(moved / "catalogs" / "shop.duckdb"), read_only=True) as client:
        assert client.execute("from shop.orders").fetchall() == [(2,)]
    assert len(product_history(environment(there), "shop.orders", 9)) == 2
    roll_back(there, "shop.orders", until="inputs")
    assert ids(there) == [1]
    deliver(there, 3)
    assert not settings.store_folder.exists()


# --- a clock that goes backwards


def test_a_clock_that_goes_backwards_changes_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    past = datetime.now(UTC) - timedelta(days=3650)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return past.astimezone(tz)

    monkeypatch.setattr(running, "datetime", Clock)
    deliver(settings, 2, 3)
    monkeypatch.undo()
    assert ids(settings) == [3]
    store = environment(settings).store
    assert [release.number for release in history(store, ORDERS)] == [3, 2, 1]
    assert product_status(environment(settings))["shop.orders"].publication == 3
    roll_back(settings, "shop.orders", until="inputs")
    assert ids(settings) == [2]
    for path in store.releases.iterdir():
        os.utime(path, (2_000_000_000 * 2, 2_000_000_000 * 2))
    assert collect(store, keep_releases=1, grace_seconds=0).releases == ()
    deliver(settings, 4)
    assert ids(settings) == [4]


# --- a ledger out of reach


def test_a_ledger_out_of_reach_lets_no_release_be_collected(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1, 2, 3)
    without = load_settings(
        tmp_path, ledger="sqlite:////proc/nowhere/ledger.sqlite", grace=0, keep_publications=1
    )
    found, notes = collect_store(environment(without), [], dry_run=False)
    assert (found.releases, found.gone, len(notes)) == ((), (), 1)
    found, notes = collect_store(
        environment(load_settings(tmp_path, grace=0, keep_publications=1)), [], dry_run=False
    )
    assert (found.releases, len(found.gone), notes) == ((1, 2), 2, ())


# --- a run that fails before it begins


def test_a_run_that_fails_before_it_begins_is_on_record(tmp_path: Path) -> None:
    desk = a_product(
        {"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}, "desk": {"totals": desk}})
    with pytest.raises(NotPublishedError):
        run(settings, "desk.totals", "r1")
    (tmp_path / "domains/shop/orders/orders.csv").unlink()
    with pytest.raises(SourceError):
        run(settings, "shop.orders", "r2")
    place = environment(settings)
    for name, run_id, why in (
        ("desk.totals", "r1", "which has never been published"),
        ("shop.orders", "r2", "no file at"),
    ):
        (event,) = product_history(place, name, 9)
        assert (event.what, event.run_id, event.publication) == ("error", run_id, None)
        assert why in event.reasons[0]
    assert latest_number(place.store) == 0


def test_the_data_of_a_failed_run_does_not_fill_the_disk(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id\n1\nx\n"})
    with pytest.raises(MeshError):
        run(settings, "shop.orders")
    store = environment(settings).store
    assert len(list(store.candidates.rglob("*.parquet"))) == 1
    assert product(settings, "shop.orders").name == "orders"
