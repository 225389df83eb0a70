"""What is wrong with a product now: a level, computed from the records, not a stream of events.

An incident is opened when a trouble is first seen and closed when it is gone. A sensor that was
down for a night therefore finds the same state as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from dataops_mesh.errors import MeshError
from dataops_mesh.ledger import Event, Ledger, history
from dataops_mesh.ledger.current import ended_badly, last_audits
from dataops_mesh.ledger.trouble.incidents import (
    DAMAGED,
    AuditRecord,
    Incident,
    Trouble,
    incidents_of,
    last_audit,
    update_incidents,
)
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.run.word.held import is_lifted
from dataops_mesh.spec.model import Product
from dataops_mesh.store.log import Release, latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.store import Store
from dataops_mesh.watch.conditions import broken_conditions
from dataops_mesh.watch.copies import failed_exports
from dataops_mesh.watch.deliveries import missing_deliveries
from dataops_mesh.watch.endings import endings
from dataops_mesh.watch.slo import LOOKED_AT, slo_of
from dataops_mesh.watch.states import states

CAUGHT, FAILED, ESCAPED, LATE = "caught", "failed", "escaped", "late"
RUNS, DATA = "runs", "data"
_SHOWN = 5
_KEPT = frozenset({"", "on time", "due", "fresh"})


@dataclass(frozen=True, slots=True)
class LostRun:
    """A run that ended without a record: it was killed, or stopped before it could read."""

    run_id: str
    why: str


def look(
    products: Iterable[Product],
    environment: Environment,
    lost_runs: Mapping[str, LostRun] | None = None,
) -> tuple[Incident, ...]:
    """Bring the incidents of products up to date and return those that are open.

    Args:
        products: what to look at.
        environment: the store and the settings.
        lost_runs: by qualified name, the newest run where it failed and left no record. None:
            nobody asked the orchestrator, so incidents of that kind stay as they are.
    """
    looked, now = tuple(products), datetime.now(UTC)
    names = [product.qualified_name for product in looked]
    release = latest(environment.store)
    with open_record(environment) as ledger:
        running = tuple(product for product in looked if product.status != "retired")
        found = [
            trouble
            for product in suspects(running, ledger, now, release)
            for trouble in troubles_of(product, environment, ledger, now, release)
        ]
        found += endings(looked, environment, release)
        found += broken_conditions(running, ledger, release, now)
        found += failed_exports(looked, ledger)
        found += missing_deliveries(running, environment, release, now)
        if lost_runs is None:
            found += _kept(ledger, names, found)
        else:
            seen = {trouble.run_id for trouble in found}
            found += [
                Trouble(name, FAILED, "", lost.why, lost.run_id)
                for name, lost in lost_runs.items()
                if name in names and lost.run_id not in seen
            ]
        if ledger.writable:
            update_incidents(ledger, names, found, now)
        return incidents_of(ledger, names, only_open=True)


def recorded_runs(environment: Environment, product: Product) -> frozenset[str]:
    """Return the runs of a product whose end is on record."""
    with open_record(environment) as ledger:
        events = history(ledger, product.qualified_name, LOOKED_AT)
    return frozenset(event.run_id for event in events)


def suspects(
    products: Sequence[Product], ledger: Ledger, now: datetime, release: Release
) -> Iterator[Product]:
    """Yield the products with which something may be wrong: asked once for all of them."""
    by_name = {product.qualified_name: product for product in products}
    bad = ended_badly(ledger, by_name.keys(), LOOKED_AT)
    audits = last_audits(ledger, by_name.keys())
    for name, state in states(by_name, ledger, release, now).items():
        is_kept = state.slo.runs in _KEPT and state.slo.data in _KEPT
        if name in bad or not is_kept or (name in audits and audits[name].outcome != "passed"):
            yield by_name[name]


def troubles_of(
    product: Product, environment: Environment, ledger: Ledger, now: datetime, release: Release
) -> list[Trouble]:
    """Return what is wrong with one product."""
    name = product.qualified_name
    events = history(ledger, name, LOOKED_AT)
    # What a hold stopped that is lifted says nothing of the data.
    telling = tuple(e for e in events if not is_lifted(e.reasons, product, release))
    found = _last_ends(product, environment, telling)
    audit = last_audit(ledger, name)
    current = next((e for e in events if e.what in {"published", "rollback"}), None)
    if not any(port.address in release.ports for port in product.outputs):
        current = None
    if audit and current and audit.outcome != "passed" and audit.publication == current.publication:
        found.append(_escaped(audit))
    slo = slo_of(product, ledger, now, release)
    if slo.runs == "late":
        found.append(Trouble(name, LATE, RUNS, slo.why[0]))
    if slo.data == "stale":
        found.append(Trouble(name, LATE, DATA, slo.why[-1]))
    return found


def _escaped(audit: AuditRecord) -> Trouble:
    """Return what a look at published data found: a damaged file, or a contract that is broken."""
    if audit.outcome == DAMAGED:
        kind, why = DAMAGED, [reason for *_, reason in audit.failed]
    else:
        kind, why = ESCAPED, [f"{port}.{check}: {told}" for port, check, _, told in audit.failed]
    return Trouble(audit.product, kind, "", _listed(why), "", audit.publication)


def _last_ends(
    product: Product, environment: Environment, events: tuple[Event, ...]
) -> list[Trouble]:
    """Return how the newest run ended, of a partitioned product that of each partition."""
    kinds = {"refused": CAUGHT, "error": FAILED, "failed": FAILED}
    found: dict[str, Event] = {}
    for event in events:
        if event.what in {*kinds, "published", "passed"}:
            known = event.candidate
            key = _partition(product, environment.store, known) if known else event.partition
            found.setdefault(key, event)
    return [
        Trouble(product.qualified_name, kinds[e.what], key, _listed(e.reasons), e.run_id)
        for key, e in found.items()
        if e.what in kinds
    ]


def _partition(product: Product, store: Store, candidate: str) -> str:
    return _partition_of(store, candidate) if product.partitioning else ""


@lru_cache(maxsize=4096)
def _partition_of(store: Store, candidate: str) -> str:
    try:
        return read_manifest(store, candidate).partition
    except MeshError:  # collected meanwhile
        return ""


def _kept(ledger: Ledger, names: list[str], found: list[Trouble]) -> list[Trouble]:
    """Return the open incidents of runs that left no record: only the orchestrator knows more."""
    known = {trouble.identity for trouble in found}
    open_now = incidents_of(ledger, names, only_open=True)
    failed = [item.trouble for item in open_now if item.trouble.kind == FAILED]
    about = {trouble.product for trouble in failed}
    on_record = {event.run_id for name in about for event in history(ledger, name, LOOKED_AT)}
    return [
        trouble
        for trouble in failed
        if trouble.identity not in known and trouble.run_id not in on_record
    ]


def _listed(reasons: Iterable[str]) -> str:
    found = list(reasons)
    shown = found[:_SHOWN]
    if len(found) > _SHOWN:
        shown.append(f"and {len(found) - _SHOWN} more")
    return "\n".join(shown)
