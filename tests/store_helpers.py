"""Publish small real products; shared by the tests of the engine and by their processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dataops_mesh.errors import ConflictError
from dataops_mesh.spec.checks.check import CheckResult, DeclaredCheck, Outcome, Stage
from dataops_mesh.spec.model import Address, Severity
from dataops_mesh.spec.threshold import ZERO
from dataops_mesh.store import files
from dataops_mesh.store.described import InputRead, PortData
from dataops_mesh.store.log import Release, entries_of, latest
from dataops_mesh.store.manifest import (
    PUBLISH,
    Manifest,
    describe,
    mark_recorded,
    new_ref,
    write_manifest,
)
from dataops_mesh.store.owners import Publisher
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import commit
from dataops_mesh.store.store import Store

T0 = datetime(2013, 1, 1, 12, tzinfo=UTC)
A, B = Address("fleet", "aircraft"), Address("fleet", "engines")
OURS = Publisher("git.example/us/mesh", claims=True)
WHO = {"run_id": "r", "person": "ana", "publisher": OURS}


def write_rows(folder: Path, address: Address, generation: int, rows: int = 3) -> PortData:
    """Write a tiny port without DuckDB, so that a kill or a state machine is quick."""
    target = folder / address.port
    files.make_folder(target)
    path = target / "part-0.parquet"
    files.before("copy", path)
    pq.write_table(pa.table({"generation": [generation] * rows}), path)
    files.sync(path)
    file = describe(folder, path)
    columns = (("generation", "BIGINT"),)
    return PortData(address, rows, file.bytes, (file,), columns, str(generation))


def judged(
    ref: str, addresses: tuple[Address, ...], observed: float = 0
) -> dict[str, tuple[DeclaredCheck, ...] | tuple[CheckResult, ...] | int]:
    """One check of each port and its result, as a manifest keeps them."""
    outcome = Outcome.FAILED if observed else Outcome.PASSED
    error = Severity.ERROR
    return {
        "checks_declared": len(addresses),
        "checks": tuple(
            DeclaredCheck("whole", address, ZERO, error, Stage.OUTPUT, "f") for address in addresses
        ),
        "results": tuple(
            CheckResult("whole", address, ref, "f", outcome, error, observed)
            for address in addresses
        ),
    }


def build(  # noqa: PLR0917 - the order of a build
    store: Store,
    folder: Path,
    ref: str,
    base: Release,
    generation: int,
    addresses: tuple[Address, ...] = (A, B),
    *,
    inputs: tuple[InputRead, ...] = (),
    verdict: str = PUBLISH,
    run_id: str = "run",
    code: str = "",
    heard: int = 0,
) -> Manifest:
    ports = tuple(write_rows(folder, address, generation) for address in addresses)
    domain, product, _ = ref.split("/")
    manifest = Manifest(
        ref, f"{domain}.{product}", "1.0.0", verdict, run_id, "ana", T0, T0, T0, base.number,
        inputs=inputs, ports=ports, code_version=code, line=base.line, heard=heard,
        **judged(ref, addresses),
    )  # fmt: skip
    write_manifest(store, manifest)
    return manifest


@contextmanager
def built(
    store: Store,
    generation: int,
    addresses: tuple[Address, ...] = (A, B),
    product: str = "aircraft",
    **more: object,
) -> Iterator[tuple[Release, Manifest]]:
    """Pin, build, and keep the candidate until the block has published it."""
    with pinned(store) as base:
        ref = new_ref("fleet", product, T0)
        with building(store, ref) as folder:
            yield base, build(store, folder, ref, base, generation, addresses, **more)


def publish(
    store: Store,
    generation: int,
    addresses: tuple[Address, ...] = (A, B),
    product: str = "aircraft",
    **more: object,
) -> Release:
    """Publish one generation of a product; on a conflict again, from the latest release."""
    while True:
        with built(store, generation, addresses, product, **more) as (base, manifest):
            try:
                who = WHO | {"run_id": manifest.run_id}
                release = commit(store, base, entries_of(manifest), at=T0, **who)
            except ConflictError:
                mark_recorded(store, manifest.candidate)
                continue
            mark_recorded(store, manifest.candidate)
            return release


def read_input(release: Release, address: Address) -> InputRead:
    entry = release.ports[address]
    return InputRead(str(address), address, entry.publication, entry.candidate, entry.fingerprint)


def snapshot(store: Store) -> dict[Address, str]:
    return {address: entry.candidate for address, entry in latest(store).ports.items()}


class Crash(BaseException):
    """Stands for `kill -9`: no effect on the disk happens after it."""


@contextmanager
def crashing(monkeypatch_target, after: int) -> Iterator[list[str]]:
    """Let `after` effects on the disk happen, then none."""
    happened: list[str] = []

    def before(effect: str, path: Path) -> None:
        if len(happened) >= after:
            raise Crash
        happened.append(effect)

    original = monkeypatch_target.before
    monkeypatch_target.before = before
    try:
        yield happened
    finally:
        monkeypatch_target.before = original
