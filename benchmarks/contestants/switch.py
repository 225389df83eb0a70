"""The switch: a candidate of several ports that is written already becomes what people read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataops_mesh.store.manifest import Manifest
    from dataops_mesh.store.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def switch(ports: int, rows: int, times: int, *, catalog: bool) -> Callable[[], Any]:
    """Prepare candidates; the work publishes them one after the other.

    Args:
        ports: that switch at once.
        rows: of each port.
        times: how many candidates.
        catalog: also wait for `catalog.duckdb`, which other DuckDB clients open.
    """
    from dataops_mesh.engine.catalog import refresh
    from dataops_mesh.store.release import commit, entries_of, latest
    from dataops_mesh.store.store import open_store

    store = open_store(Path(mkdtemp()) / "store")
    first = _candidate(store, ports, rows)
    candidates = [first, *(_another(store, first) for _ in range(times))]

    def publish(manifest: Manifest) -> float:
        started = time.perf_counter()
        entries = entries_of(manifest)
        commit(store, latest(store), entries, run_id="bench", person="bench", at=NOW)
        if catalog:
            refresh(store)
        return time.perf_counter() - started

    def work() -> Any:
        publish(candidates[0])  # the first one creates everything
        seconds = [publish(manifest) for manifest in candidates[1:]]
        release = latest(store)
        return {
            "seconds": median(seconds),
            "release": release.number,
            "rows": sum(entry.rows for entry in release.ports.values()),
        }

    return work


def _candidate(store: Store, ports: int, rows: int) -> Manifest:
    """Write a candidate; its ports share the content, each has a file of its own."""
    import duckdb

    from dataops_mesh.engine.write import write_port
    from dataops_mesh.spec.model import Address
    from dataops_mesh.store.manifest import Manifest, folder, new_ref, write_manifest

    ref = new_ref("bench", "wide", NOW)
    query = f"SELECT 1 AS id FROM range({rows})"
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        written = tuple(
            write_port(con, query, folder(store, ref), Address("bench", f"port_{number}"))
            for number in range(ports)
        )
    manifest = Manifest(
        ref, "bench.wide", "1.0.0", "publish", "bench", "bench", NOW, NOW, NOW, 0, ports=written
    )
    write_manifest(store, manifest)
    return manifest


def _another(store: Store, first: Manifest) -> Manifest:
    """Write the manifest of one more candidate, whose files are links to the first one's."""
    from dataclasses import replace

    from dataops_mesh.store.manifest import folder, new_ref, write_manifest

    manifest = replace(first, candidate=new_ref("bench", "wide", NOW))
    source, target = folder(store, first.candidate), folder(store, manifest.candidate)
    for file in (file for port in first.ports for file in port.files):
        (target / file.path).parent.mkdir(parents=True, exist_ok=True)
        (target / file.path).hardlink_to(source / file.path)
    write_manifest(store, manifest)
    return manifest
