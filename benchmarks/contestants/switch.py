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
        catalog: also wait for the domain's catalog, which other DuckDB clients open.
    """
    from dataops_mesh.engine.catalog.catalogs import refresh
    from dataops_mesh.store.release import commit, entries_of, latest
    from dataops_mesh.store.store import open_store

    store = open_store(Path(mkdtemp()) / "store")
    first = _candidate(store, ports, rows)
    candidates = [first, *(_another(store, first) for _ in range(times))]

    def publish(manifest: Manifest) -> float:
        started = time.perf_counter()
        entries = entries_of(manifest)
        commit(store, latest(store), entries, run_id="bench", person="bench", at=NOW, **_ours())
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
    manifest = _proven(manifest)
    write_manifest(store, manifest)
    return manifest


def _ours() -> dict[str, Any]:
    """Return who publishes; nothing for versions that did not ask."""
    try:
        from dataops_mesh.store.owners import Publisher
    except ImportError:
        return {}
    return {"publisher": Publisher("git.example/bench", claims=True)}


def _proven(manifest: Manifest) -> Manifest:
    """Add a check for each port and its result; versions that kept no checks need none."""
    from dataclasses import replace

    from dataops_mesh.spec.checks import check as spec
    from dataops_mesh.spec.model import ZERO, Severity

    if not hasattr(spec, "DeclaredCheck"):
        return manifest
    ref, addresses = manifest.candidate, [port.address for port in manifest.ports]
    error, passed, stage = Severity.ERROR, spec.Outcome.PASSED, spec.Stage.OUTPUT
    return replace(
        manifest,
        checks_declared=len(addresses),
        checks=tuple(spec.DeclaredCheck("c", a, ZERO, error, stage, "f") for a in addresses),
        results=tuple(spec.CheckResult("c", a, ref, "f", passed, error, 0) for a in addresses),
        ports=tuple(_linked(port) for port in manifest.ports),
    )


def _linked(port: Any) -> Any:
    """Forget when the files of a port changed: a new link to them is a change."""
    from dataclasses import replace

    return replace(port, files=tuple(replace(file, changed=0) for file in port.files))


def _another(store: Store, first: Manifest) -> Manifest:
    """Write the manifest of one more candidate, whose files are links to the first one's."""
    from dataclasses import replace

    from dataops_mesh.store.manifest import folder, new_ref, write_manifest

    manifest = _proven(replace(first, candidate=new_ref("bench", "wide", NOW)))
    source, target = folder(store, first.candidate), folder(store, manifest.candidate)
    for file in (file for port in first.ports for file in port.files):
        (target / file.path).parent.mkdir(parents=True, exist_ok=True)
        (target / file.path).hardlink_to(source / file.path)
    write_manifest(store, manifest)
    return manifest
