"""What is wrong with a product now: a level, computed from the records, not a stream of events.

An incident is opened when a trouble is first seen and closed when it is gone. A sensor that was
down for a night therefore finds the same state as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile

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
_KINDS = {"refused": CAUGHT, "error": FAILED, "failed": FAILED}
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
            over = ended_at(looked, environment, ledger, found)
            update_incidents(ledger, names, found, now, over)
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
    return Trouble(audit.product, kind, "", listed(why), "", audit.publication, audit.at)


def _last_ends(
    product: Product, environment: Environment, events: tuple[Event, ...]
) -> list[Trouble]:
    """Return how the newest run ended, of a partitioned product that of each partition."""
    found: list[Trouble] = []
    for key, ends in _ends_of(product, environment, events).items():
        last = ends[0]
        if kind := _KINDS.get(last.what, ""):
            began = list(takewhile(lambda end: _KINDS.get(end.what) == kind, ends))[-1].at
            why = listed(last.reasons)
            found.append(Trouble(product.qualified_name, kind, key, why, last.run_id, since=began))
    return found


def _ends_of(
    product: Product, environment: Environment, events: tuple[Event, ...]
) -> dict[str, list[Event]]:
    """Return how runs ended, newest first, by partition."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.what in {*_KINDS, "published", "passed"}:
            known = event.candidate
            key = _partition(product, environment.store, known) if known else event.partition
            found.setdefault(key, []).append(event)
    return found


def ended_at(
    products: Iterable[Product],
    environment: Environment,
    ledger: Ledger,
    troubles: Iterable[Trouble],
) -> dict[tuple[str, str, str], datetime]:
    """Return when troubles were over that are over, where a run or an audit says that.

    Args:
        products: that are looked at.
        environment: the store.
        ledger: knows what was wrong.
        troubles: what is wrong now.
    """
    known = {product.qualified_name: product for product in products}
    wrong = {trouble.identity for trouble in troubles}
    found = {}
    for incident in incidents_of(ledger, known, only_open=True):
        if incident.trouble.identity not in wrong:
            product = known[incident.trouble.product]
            if at := over_since(incident, product, environment, ledger):
                found[incident.trouble.identity] = at
    return found


def over_since(
    incident: Incident, product: Product, environment: Environment, ledger: Ledger
) -> datetime | None:
    """Return when an incident was over, if a run or an audit says that it is."""
    kind, name = incident.trouble.kind, product.qualified_name
    events = history(ledger, name, LOOKED_AT)
    if kind in {CAUGHT, FAILED}:
        ends = _ends_of(product, environment, events).get(incident.trouble.subject, [])
        later = list(takewhile(lambda end: _KINDS.get(end.what) != kind, ends))
        if len(later) == len(ends):  # its run left no record
            later = [end for end in ends if end.at > incident.opened]
        return later[-1].at if later else None
    seen = kind in {ESCAPED, DAMAGED}  # by a look at what is published
    switched = {"published", "rollback"} if seen else {"published"} if kind == LATE else set()
    later = [event for event in events if event.what in switched and event.at > incident.opened]
    if later:
        return later[-1].at
    audit = last_audit(ledger, name) if seen else None
    return audit.at if audit and audit.outcome == "passed" else None


def _partition(product: Product, store: Store, candidate: str) -> str:
    return partition_of(store, candidate) if product.partitioning else ""


@lru_cache(maxsize=4096)
def partition_of(store: Store, candidate: str) -> str:
    """Return the partition of a candidate; nothing of one that has none, or is collected."""
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


def listed(reasons: Iterable[str]) -> str:
    """Return reasons as an incident has them, one a line."""
    found = list(reasons)
    shown = found[:_SHOWN]
    if len(found) > _SHOWN:
        shown.append(f"and {len(found) - _SHOWN} more")
    return "\n".join(shown)
