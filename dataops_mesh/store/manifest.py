"""A candidate and its evidence: what was built, from what, by whom, and what the checks said.

    <store>/candidates/<domain>/<product>/<candidate-id>/
        manifest.json
        <port>/part-*.parquet
        <port>.quarantine/part-*.parquet      rows that were set aside, of no address

The manifest is written last and never changes; a candidate without one is a leftover. What a
removal left of it is its successor, `<store>/removed/<ref>/<number of the removal>.json`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.spec.checks.check import CheckResult, DeclaredCheck
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.described import (
    ClearKept,
    ColumnProfile,
    ContractUsed,
    File,
    InputRead,
    MaskApplied,
    PersonalFound,
    PortData,
    Quarantine,
)
from dataops_mesh.store.store import PRODUCTION, Store

T = TypeVar("T")
MANIFEST = "manifest.json"
PUBLISH, REFUSE, ERROR = "publish", "refuse", "error"
_REF = re.compile(r"\w[\w-]*/\w[\w-]*/\w[\w-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything on record about one candidate.

    Args:
        candidate: its ref, `domain/product/id`.
        product: the qualified name, `domain.product`.
        verdict: `publish`, `refuse` or `error`.
        base: the number of the release that the run pinned.
        checks_declared: how many checks the contracts ask for.
        checks: these, for the verdict to be computed again; none of older candidates.
        coverage: the part of the rules that a machine checks, 0 to 1.
        unexecuted: what the contracts say and nobody executes, one sentence each.
        now: the replay clock.
        partition: the key of the partition that this is; empty for a whole product.
        declaration: the digest of the declaration's files; empty if they were not kept.
        own: of a partition, a digest of those inputs that are its own (run/due.py).
        open: of a partition, it was built before it was over.
        cut: of a partition, how its product is cut (spec/partition.py).
        keep_publications: how many of the product's publications to keep; 0 if it does not say.
        listed: how many of them the log lists at least, whatever the workspace says later.
        confined: by what the transform was walled in, and whether it had the network; empty for
            SQL, which runs sealed in the engine.
        code: the digest of the list of files that built it, each with its own digest.
        judged: the digest of the policies, waivers, approvals and settings that it was judged by.
        events: the channels that its product wanted to be told of its publication.
        removed: the number of the removal whose successor this is; 0 of what was built.
        state: what dbt's snapshots and incremental models go on from; no address leads to it.
        full: somebody asked for a run without what the product published last (`--full`).
        quarantines: of each port whose contract lets rows be set aside, those that were.
        line: for which it was built, and of which `base` is a number.
        heard: of a sandbox's, the newest release of production then.
        masks: the columns that were masked after the checks, before anything was kept.
        personal: the columns that look like personal data and do not say so.
        parameters: the values that it was built with, as JSON, by name.
        subset: of a sandbox's, the part of the rows that it was built from; empty for all.
        profile: how many nulls and different values each column has, and its mean.
    """

    candidate: str
    product: str
    product_version: str
    verdict: str
    run_id: str
    person: str
    started: datetime
    finished: datetime
    now: datetime
    base: int
    reasons: tuple[str, ...] = ()
    contracts: tuple[ContractUsed, ...] = ()
    transform_fingerprint: str = ""
    code_version: str = ""
    git_commit: str = ""
    inputs: tuple[InputRead, ...] = ()
    ports: tuple[PortData, ...] = ()
    checks_declared: int = 0
    coverage: float | None = None
    results: tuple[CheckResult, ...] = ()
    partition: str = ""
    declaration: str = ""
    own: str = ""
    open: bool = False
    keep_publications: int = 0
    listed: int = 0
    confined: str = ""
    checks: tuple[DeclaredCheck, ...] = ()
    code: str = ""
    judged: str = ""
    events: tuple[str, ...] = ()
    cut: str = ""
    removed: int = 0
    unexecuted: tuple[str, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    line: str = PRODUCTION
    heard: int = 0
    masks: tuple[MaskApplied, ...] = ()
    clear: tuple[ClearKept, ...] = ()
    personal: tuple[PersonalFound, ...] = ()
    profile: tuple[ColumnProfile, ...] = ()
    full: bool = False
    state: tuple[File, ...] = ()
    subset: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def origin(self) -> int:
        """Return the newest release of production when it was begun, as removals count."""
        return self.base if self.line == PRODUCTION else self.heard

    @property
    def files(self) -> tuple[File, ...]:
        """Return all files of the candidate: of its ports, and of what was set aside."""
        aside = (file for one in self.quarantines for file in one.files)
        return (*(file for port in self.ports for file in port.files), *aside, *self.state)

    def kept(self, address: Address) -> ClearKept | None:
        """Return what is kept of the clear values of one port, if anything is."""
        return next((one for one in self.clear if one.port == address), None)

    def port(self, address: Address) -> PortData | None:
        """Return the data of one port, if the candidate has it."""
        return next((port for port in self.ports if port.address == address), None)


def new_ref(domain: str, product: str, at: datetime) -> str:
    """Return the ref of a new candidate: sortable by time, different for everybody."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{domain}/{product}/{stamp}-{secrets.token_hex(4)}"


def folder(store: Store, ref: str) -> Path:
    """Return the folder of a candidate."""
    if not _REF.fullmatch(ref):
        raise StoreError(
            Problem(f"{ref!r} names no candidate", next="say domain/product/candidate-id")
        )
    return store.candidates / ref


def quarantine_folder(port: str) -> str:
    """Return the folder of a candidate with what was set aside from a port: no port's name."""
    return f"{port}.quarantine"


def describe(root: Path, path: Path) -> File:
    """Return what is on record of a file that will not change any more.

    Args:
        root: the candidate's folder.
        path: the file, below it.
    """
    state = path.stat()  # first: a change after this moment shows
    name = path.relative_to(root).as_posix()
    return File(name, state.st_size, files.digest(path), state.st_ctime_ns)


def write_manifest(store: Store, manifest: Manifest) -> None:
    """Put the evidence on the disk; after this the candidate never changes."""
    target = folder(store, manifest.candidate)
    files.make_folder(target)
    for parent in (target, target.parent, target.parent.parent):
        files.sync_folder(parent)
    files.replace(_pending(store, manifest.candidate), b"")
    if not files.create(target / MANIFEST, record.encode(manifest)):
        what = f"candidate {manifest.candidate} has a manifest already"
        then = "build a new candidate; an old one never changes"
        raise StoreError(Problem(what, next=then))


@dataclass(frozen=True, slots=True)
class Declared:
    """Of a manifest, whose declaration it is of, and which; and the contracts that it judged by."""

    product: str
    declaration: str = ""
    contracts: tuple[ContractUsed, ...] = ()

    def contract(self, address: Address) -> str:
        """Return the fingerprint of the contract that a port was judged by; empty if unknown."""
        return next((one.fingerprint for one in self.contracts if one.address == address), "")


def read_manifest(store: Store, ref: str) -> Manifest:
    """Return the evidence of a candidate; of one that was removed, what is left of it."""
    return _read(Manifest, store, ref)


def read_declared(store: Store, ref: str) -> Declared:
    """Return by which declaration a candidate was built, and nothing else of its evidence."""
    return _read(Declared, store, ref)


def _read(kind: type[T], store: Store, ref: str) -> T:
    path = folder(store, ref) / MANIFEST
    try:
        if files.stat(path) is None:
            path = next(iter(successors(store, ref)), path)
        data = files.read(path)
    except FileNotFoundError:
        raise StoreError(
            Problem(
                f"candidate {ref} has no manifest in this store",
                next="it was collected, or its build did not finish: run the product again",
            )
        ) from None
    return record.decode(kind, data, path)


def successors(store: Store, ref: str) -> tuple[Path, ...]:
    """Return what removals left on record of a candidate: the newest counts, and comes first."""
    kept = store.removed / ref
    return tuple(kept / f"{number}.json" for number in sorted(files.numbered(kept), reverse=True))


def is_written(store: Store, ref: str) -> bool:
    """Tell whether there is evidence of a candidate."""
    return files.stat(folder(store, ref) / MANIFEST) is not None or bool(successors(store, ref))


def pending_refs(store: Store) -> tuple[str, ...]:
    """Return the candidates that the ledger has not recorded: cheap however long the history."""
    found = sorted(ref for ref, _ in announced(store))
    return tuple(ref for ref in found if is_written(store, ref))


def mark_recorded(store: Store, ref: str) -> None:
    """Note that the ledger has the candidate; only then may it ever be collected."""
    files.remove(_pending(store, ref))


def announced(store: Store) -> list[tuple[str, Path]]:
    """Return the candidates that got a manifest, or were about to, since the ledger looked."""
    return [
        (path.name.replace("~", "/"), path)
        for path in store.pending.iterdir()
        if not path.name.startswith(files.TEMPORARY)
    ]


def _pending(store: Store, ref: str) -> Path:
    return store.pending / ref.replace("/", "~")
