"""What is wrong with a product now: a level, computed from the records, not a stream of events.

An incident is opened when a trouble is first seen and closed when it is gone. A sensor that was
down for a night therefore finds the same state as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from dataops_mesh.errors import MeshError
from dataops_mesh.ledger import Event, Ledger, history, results_of
from dataops_mesh.ledger.incidents import (
    Incident,
    Trouble,
    incidents_of,
    last_audit,
    update_incidents,
)
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.run.word.held import gone_inputs, holds_behind, is_lifted
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.slo import recency_of
from dataops_mesh.store.log import Release, latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.store import Store
from dataops_mesh.watch.endings import endings

CAUGHT, FAILED, ESCAPED, LATE = "caught", "failed", "escaped", "late"
RUNS, DATA = "runs", "data"
HELD = "held"
FRESHNESS = "freshness"
_SHOWN = 5
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class LostRun:
    """A run that ended without a record: it was killed, or stopped before it could read."""

    run_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Slo:
    """How a product keeps its promises.

    Args:
        runs: `on time`, `due`, `late`, `held` where that is why it would be late, or empty where
            nothing is promised or published.
        data: `fresh`, `stale`, `held`, or empty where nothing is promised or published.
    """

    runs: str = ""
    data: str = ""
    why: tuple[str, ...] = ()


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
        found = [
            trouble
            for product in looked
            if product.status != "retired"
            for trouble in _troubles(product, environment, ledger, now, release)
        ]
        found += endings(looked, environment, release)
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
        events = history(ledger, product.qualified_name, _LOOKED_AT)
    return frozenset(event.run_id for event in events)


def slos(products: Iterable[Product], environment: Environment) -> dict[str, Slo]:
    """Return how each product keeps its promises, by qualified name."""
    now, release = datetime.now(UTC), latest(environment.store)
    with open_record(environment) as ledger:
        return {
            product.qualified_name: slo_of(product, ledger, now, release) for product in products
        }


def slo_of(product: Product, ledger: Ledger, now: datetime, release: Release) -> Slo:
    """Return how the product keeps its promises about runs and about data.

    What a person holds, and what is built from it, is not late because of that.
    """
    events = history(ledger, product.qualified_name, _LOOKED_AT)
    published = next((e for e in events if e.what in {"published", "rollback"}), None)
    if published is None or not any(port.address in release.ports for port in product.outputs):
        return Slo()  # never, or not any more
    runs, why = _runs(product, published, now)
    data, more = _data(product, published, ledger)
    if "late" in runs or "stale" in data:
        behind = holds_behind(product, release) or gone_inputs(product, release)
        runs, data = (HELD if behind and one in {"late", "stale"} else one for one in (runs, data))
    return Slo(runs, data, tuple(text for text in (why, more) if text))


def _troubles(
    product: Product, environment: Environment, ledger: Ledger, now: datetime, release: Release
) -> list[Trouble]:
    name = product.qualified_name
    events = history(ledger, name, _LOOKED_AT)
    # What a hold stopped that is lifted says nothing of the data.
    telling = tuple(e for e in events if not is_lifted(e.reasons, product, release))
    found = _last_ends(product, environment, telling)
    audit = last_audit(ledger, name)
    current = next((e for e in events if e.what in {"published", "rollback"}), None)
    if not any(port.address in release.ports for port in product.outputs):
        current = None
    if audit and current and audit.outcome != "passed" and audit.publication == current.publication:
        why = _listed(f"{port}.{check}: {reason}" for port, check, _, reason in audit.failed)
        found.append(Trouble(name, ESCAPED, "", why, "", audit.publication))
    slo = slo_of(product, ledger, now, release)
    if slo.runs == "late":
        found.append(Trouble(name, LATE, RUNS, slo.why[0]))
    if slo.data == "stale":
        found.append(Trouble(name, LATE, DATA, slo.why[-1]))
    return found


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


def _runs(product: Product, published: Event, now: datetime) -> tuple[str, str]:
    recency = recency_of(product)
    if recency is None:
        return "", ""
    age = now - published.at
    why = f"the last publication is {span(age)} old; promised: {recency.promise}"
    if age > timedelta(hours=recency.fail):
        return "late", why
    return ("due", why) if age > timedelta(hours=recency.warn) else ("on time", "")


def _data(product: Product, published: Event, ledger: Ledger) -> tuple[str, str]:
    """Return what the newest look at the data said: an audit's, else that of the gate."""
    promised = any(
        sla.property == FRESHNESS and sla.element
        for port in product.outputs
        for sla in port.contract.slas
    )
    if not promised:
        return "", ""
    audit = last_audit(ledger, product.qualified_name)
    if audit and audit.publication == published.publication:
        stale = [reason for _, check, _, reason in audit.failed if check == FRESHNESS]
    else:
        rows = results_of(ledger, published.candidate)
        found = [row for row in rows if row["check"] == FRESHNESS]
        stale = [row["reason"] for row in found if row["outcome"] != "passed"]
    return ("stale", stale[0] or "the data is older than promised") if stale else ("fresh", "")


def _kept(ledger: Ledger, names: list[str], found: list[Trouble]) -> list[Trouble]:
    """Return the open incidents of runs that left no record: only the orchestrator knows more."""
    known = {trouble.identity for trouble in found}
    open_now = incidents_of(ledger, names, only_open=True)
    failed = [item.trouble for item in open_now if item.trouble.kind == FAILED]
    about = {trouble.product for trouble in failed}
    on_record = {event.run_id for name in about for event in history(ledger, name, _LOOKED_AT)}
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


def span(age: timedelta) -> str:
    """Return how long something is, in hours or days."""
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours > 48 else f"{hours:.1f} hours"  # noqa: PLR2004
