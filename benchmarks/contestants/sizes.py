"""The store's own part as the mesh grows: commit, pin, look, list, in stores of any size."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataops_mesh.store.manifest import Manifest
    from dataops_mesh.store.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_A_DOMAIN = 200  # products
_PRINT = "0123456789abcdef0123456789abcdef"


def sizes(products: int, partitions: int, what: str, times: int) -> Callable[[], Any]:
    """Prepare a store; the work does one thing several times and says the CPU of each.

    Args:
        products: in domains of at most 200; each has one port.
        partitions: of each port; 1 for ports that are published whole.
        what: `commit`, `pin`, `look` (the newest number), `list` (every port, as `status` asks)
            or `open` (a sandbox).
        times: how often.
    """
    store = _filled(products, partitions)
    from dataops_mesh.store.holding import Asked
    from dataops_mesh.store.line.opening import open_sandbox
    from dataops_mesh.store.log import entries_of, latest, latest_number
    from dataops_mesh.store.owners import Publisher
    from dataops_mesh.store.pins import pinned
    from dataops_mesh.store.release import commit
    from dataops_mesh.store.tree import blobs

    ours = Publisher("git.example/bench", claims=True)
    written = [_candidate(store, partitions, number) for number in range(times)]

    def once(number: int) -> None:
        if what == "commit":
            entries = entries_of(written[number])
            commit(store, latest(store), entries, run_id="b", person="b", at=NOW, publisher=ours)
        elif what == "look":
            latest_number(store)
        elif what == "open":
            asked = Asked("b", "", ours)
            open_sandbox(store, f"s{number}", asked, NOW + timedelta(days=7))
        elif what == "list":
            sum(light.rows for _, light in latest(store).ports.lights())  # type: ignore[attr-defined]
        else:
            _pin(pinned(store), partitions)

    def work() -> Any:
        found = []
        for number in range(times):
            blobs.forget(store)  # as a new process
            started = time.process_time()
            once(number)
            found.append(time.process_time() - started)
        return {"seconds": median(found), "release": 1, "rows": products}

    return work


def _pin(pinning: Any, partitions: int) -> None:
    from dataops_mesh.spec.model import Address

    with pinning as release:
        for name in ("p0", "p1", "p2"):
            entry = release.ports[Address("d0", name)]
            if partitions > 1:
                entry.part(_key(partitions // 2))


def _key(number: int) -> str:
    return f"{number:06}"


def _filled(products: int, partitions: int) -> Store:
    """Write a store as that many publications leave it; ports of a domain share their entry."""
    from dataops_mesh.spec.model import Address
    from dataops_mesh.store.log import Release, append
    from dataops_mesh.store.store import open_store
    from dataops_mesh.store.tree import blobs
    from dataops_mesh.store.tree.growth import published
    from dataops_mesh.store.tree.ports import Ports

    store, nodes = open_store(Path(mkdtemp()) / "store"), {}
    for first in range(0, products, _A_DOMAIN):
        domain = f"d{first // _A_DOMAIN}"
        entry = {Address(domain, "p0"): _entry(domain, partitions)}
        grown = published(Ports(store.root), entry, 1, "publication").ports
        row = grown.node(domain)["p0"]
        ports = {f"p{n}": [f"{domain}.p{n}", *row[1:]] for n in range(min(_A_DOMAIN, products))}
        digest, data = blobs.encode({"is": "node", "number": 1, "ports": ports})
        nodes[domain] = digest
        blobs.write(store, {**grown.pending, (domain, digest): data})
    append(store, Release(1, "publication", NOW, ports=Ports(store.root, nodes)))
    return store


def _entry(domain: str, partitions: int) -> Any:
    from dataops_mesh.store.tree.entry import Entry
    from dataops_mesh.store.tree.part import Part

    whole = Entry(f"{domain}.p", f"{domain}/p/20260101T000000Z-00000000", 0, _PRINT, 3, keep=10)
    if partitions == 1:
        return whole
    parts = tuple(
        Part(
            _key(number),
            f"{domain}/p/20260101T000000Z-{number:08x}",
            0,
            _PRINT,
            3,
            ("p/part-0.parquet",),
            _PRINT[:16],
            (("other.input", number),),
            cut="day",
        )
        for number in range(partitions)
    )
    columns = ((_PRINT[:16], (("id", "BIGINT"),)),)
    return replace(whole, parts=parts, columns=columns)


def _candidate(store: Store, partitions: int, number: int) -> Manifest:
    """Write the manifest of one more candidate of a port of the first domain; it has no file."""
    from dataops_mesh.spec.checks import check as spec
    from dataops_mesh.spec.model import ZERO, Address, Severity
    from dataops_mesh.store.described import PortData
    from dataops_mesh.store.manifest import Manifest, new_ref, write_manifest

    address, ref = Address("d0", "p7" if partitions > 1 else "mine"), new_ref("d0", "p", NOW)
    error, passed, stage = Severity.ERROR, spec.Outcome.PASSED, spec.Stage.OUTPUT
    manifest = Manifest(
        ref, "d0.p", "1.0.0", "publish", "b", "b", NOW, NOW, NOW, 1,
        ports=(PortData(address, 3, 0, (), (("id", "BIGINT"),), f"{_PRINT[:-2]}{number:02}"),),
        checks_declared=1,
        checks=(spec.DeclaredCheck("c", address, ZERO, error, stage, "f"),),
        results=(spec.CheckResult("c", address, ref, "f", passed, error, 0),),
        partition=_key(partitions // 2 + number) if partitions > 1 else "",
        cut="day" if partitions > 1 else "",
    )  # fmt: skip
    write_manifest(store, manifest)
    return manifest
