"""Copies of published ports follow the log: whatever it says now, each target is brought there.

So a publication, a rollback, a withdrawal and an erasure are all one thing here, and so is a try
after a failure. Nothing that happens here can change what is published; it is on record, and an
incident while it lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from dataops_mesh.connections import Connections
from dataops_mesh.engine.session import session
from dataops_mesh.errors import ExportError, Location, MeshError, Problem
from dataops_mesh.export import folder as to_folder
from dataops_mesh.export import postgres as to_postgres
from dataops_mesh.export.target import Asked, Brought
from dataops_mesh.export.wanted import Wanted, states, targets, wanted
from dataops_mesh.ledger.trouble.exports import (
    EXPORTED,
    FAILED,
    WITHDRAWN,
    ExportRecord,
    last_exports,
    record_export,
)
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_ledger_of
from dataops_mesh.run.registry.owners import require_may_publish
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.store import files
from dataops_mesh.store.log import identity, latest
from dataops_mesh.store.pins import pinned
from dataops_mesh.transform.redact import safe_message

CONNECTION, FOLDER = "connection", "folder"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of one target of a product.

    Args:
        outcome: `exported`, `unchanged`, `withdrawn` or `failed`.
        ports: the addresses that were copied, or taken away.
        why: of a failure, with the next command.
    """

    product: str
    target: str
    outcome: str
    release: int = 0
    ports: tuple[str, ...] = ()
    rows: int = 0
    seconds: float = 0.0
    why: str = ""


UNCHANGED = "unchanged"


def export_product(
    product: Product, environment: Environment, progress: Progress = lambda _: None
) -> tuple[Exported, ...]:
    """Bring every target of a product to what the newest release says.

    Targets that no contract names any more, and that have something of it, get nothing: it is
    taken away there.

    Raises:
        ExportError: of a sandbox nothing is exported.
        OwnershipError: its domain belongs to another repository.
    """
    if environment.store.sandbox:
        what = f"nothing is exported from the sandbox {environment.store.sandbox}"
        raise ExportError(Problem(what, next="promote it first: mesh sandbox promote"))
    require_may_publish(product, environment)
    if not identity(environment.store):
        return ()  # nothing was ever published: no target is ours yet
    last = known_exports([product.qualified_name], environment)
    known = {target: one for (_, target), one in last.items()}
    found = []
    for target in asked_targets(product, known):
        progress(f"exporting to {target}")
        found.append(_export(product, target, environment, known.get(target)))
    return tuple(found)


def known_exports(
    products: Iterable[str], environment: Environment
) -> dict[tuple[str, str], ExportRecord]:
    """Return what is on record of the exports of products, by product and target."""
    with open_ledger_of(environment) as ledger:
        return last_exports(ledger, products)


def asked_targets(product: Product, known: dict[str, ExportRecord]) -> tuple[str, ...]:
    """Return the targets of a product: those that its contracts name, and former ones."""
    former = (target for target, last in known.items() if last.outcome != WITHDRAWN)
    return tuple(dict.fromkeys((*targets(product), *former)))


def is_behind(
    product: Product, target: str, environment: Environment, last: ExportRecord | None
) -> bool:
    """Tell whether a target lacks what the newest release says, as far as is on record."""
    release = latest(environment.store)
    if last is None:
        return any(port.address in release.ports for port in product.outputs)
    erased = max(files.numbered(environment.store.removed), default=0) > last.release
    return erased or last.outcome == FAILED or last.state != states(product, target, release)


def _export(
    product: Product, target: str, environment: Environment, last: ExportRecord | None
) -> Exported:
    begun, name = time.monotonic(), product.qualified_name
    try:
        brought = _bring(product, target, environment)
    except Exception as error:  # noqa: BLE001 - on record, and no value of the data in it
        release = latest(environment.store)
        state, failures = states(product, target, release), (last.failures if last else 0) + 1
        why = str(error) if isinstance(error, MeshError) else safe_message(error)
        seconds = time.monotonic() - begun
        said = (FAILED, release.number, state, 0, seconds, why, failures)
        _record(environment, ExportRecord(name, target, datetime.now(UTC), *said))
        return Exported(name, target, FAILED, release.number, seconds=seconds, why=why)
    seconds, got = time.monotonic() - begun, brought.wanted
    outcome = EXPORTED if got.copies else WITHDRAWN
    changed = bool(brought.copied or brought.taken)
    known = (last.outcome, last.state, last.release) if last else None
    if changed or known != (outcome, got.state, got.release):
        facts = (outcome, got.release, got.state, brought.rows, seconds)
        _record(environment, ExportRecord(name, target, datetime.now(UTC), *facts))
    ports = (*brought.copied, *brought.taken)
    shown = outcome if changed else UNCHANGED
    return Exported(name, target, shown, got.release, ports, brought.rows, seconds)


def _bring(product: Product, target: str, environment: Environment) -> Brought:
    settings, store = environment.settings, environment.store
    kind, _, name = target.partition(" ")
    where = _where(product, target)

    @contextmanager
    def look() -> Iterator[Wanted]:
        with pinned(store) as release:
            yield wanted(product, target, store, release, con)

    now = settings.clock()
    limit, threads = settings.memory_limit, environment.threads
    with session(store, memory_limit=limit, threads=threads, now=now) as con:
        asked = Asked(product.qualified_name, identity(store), look, con)
        if kind == FOLDER:
            return to_folder.bring(_folder(settings, name, where, product), asked, where)
        address = Connections.of(settings).find(name, product, where)
        if isinstance(address, Problem):
            raise ExportError(address)
        return to_postgres.bring(address, name, asked, where)


def _where(product: Product, target: str) -> Location | None:
    exports = (one for port in product.outputs for one in port.contract.exports)
    return next((one.where for one in exports if one.target == target), None)


def _folder(settings: Settings, name: str, where: Location | None, product: Product) -> Path:
    """Return the folder of an export, which is nothing that the mesh lives by.

    Raises:
        ExportError: it is.
    """
    path, root = settings.root / PurePosixPath(name), settings.root.resolve()
    kept = (settings.store_folder, settings.domains_folder, settings.dagster_folder)
    taken = [one.resolve() for one in (*kept, *settings.secret_paths, root / ".git")]
    top, below = path.resolve(), (path / product.domain / product.name).resolve()
    if not below.is_relative_to(root):
        what = f"{name} leads out of the workspace, by a link"
        raise ExportError(Problem(what, where, next="remove the link, or choose another path"))
    for one in (*taken, root):
        over = one.is_relative_to(top) or one.is_relative_to(below)
        if over or (one != root and below.is_relative_to(one)):
            shown = root.name if one == root else str(one)
            what = f"{name} is no place for copies: {shown} is there"
            raise ExportError(Problem(what, where, next="choose another path, as exports"))
    return path


def _record(environment: Environment, export: ExportRecord) -> None:
    with open_ledger_of(environment) as ledger:
        record_export(ledger, export)
