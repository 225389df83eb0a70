"""What the processes of the crash and concurrency tests do; nothing heavy is imported here."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import duckdb
from store_helpers import publish

from dataops_mesh.engine.catalog.catalogs import path_of, refresh
from dataops_mesh.engine.read import connect
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.release import latest_number
from dataops_mesh.store.store import open_store

for _lazy in ("duckdb", "pyarrow"):
    importlib.import_module(_lazy)

BOTH = (
    "SELECT min(a.generation), max(a.generation), min(b.generation), max(b.generation)"
    " FROM fleet.aircraft AS a, fleet.engines AS b"
)


def publish_for_ever(root: str, effects) -> None:
    """Publish and refresh the catalog until killed, counting the effects on the disk."""

    def before(effect, path) -> None:
        effects.value += 1

    store = open_store(Path(root))
    files.before = before
    while True:
        publish(store, latest_number(store) + 1)
        refresh(store)


def publish_times(root: str, name: str, port: str, times: int) -> None:
    """Publish one product several times; the run's id says who and which."""
    store = open_store(Path(root))
    ports = (Address("fleet", port), Address("fleet", f"{port}_more"))
    for number in range(times):
        publish(store, number, ports, port, run_id=f"{name}-{number}")
        refresh(store)


def read_through_connect(root: str, stop, answers) -> None:
    """Ask both ports of the pinned release, again and again; report reads, torn ones, errors."""
    answers.put(_read(stop, lambda: _ask_mesh(root)))


def read_through_catalog(root: str, stop, answers) -> None:
    """Ask both ports of the catalog, like any DuckDB client."""
    answers.put(_read(stop, lambda: _ask_catalog(root)))


def _ask_mesh(root: str) -> list[tuple]:
    with connect(Path(root)) as mesh:
        first = mesh.execute(BOTH).fetchone()
        return [first, mesh.execute(BOTH).fetchone()]


def _ask_catalog(root: str) -> list[tuple]:
    path = path_of(open_store(Path(root), create=False), "fleet")
    with duckdb.connect(str(path), read_only=True) as con:
        return [con.execute(BOTH).fetchone()]


def _read(stop, ask) -> dict[str, object]:
    reads, torn, errors, backward, last = 0, 0, [], 0, 0
    while not stop.is_set():
        try:
            found = ask()
        except Exception as error:  # noqa: BLE001 - every failure of a reader is counted
            errors.append(f"{type(error).__name__}: {error}")
            time.sleep(0.01)
            continue
        reads += 1
        torn += len({value for row in found for value in row}) != 1
        backward += found[0][0] < last
        last = found[0][0]
        time.sleep(0.005)
    return {"reads": reads, "torn": torn, "errors": errors, "backward": backward}
