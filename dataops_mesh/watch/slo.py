"""How products keep their promises about runs and about data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.current import failed_results
from dataops_mesh.ledger.trouble.incidents import DAMAGED, AuditRecord, last_audit
from dataops_mesh.run.word.held import gone_inputs, holds_behind
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import last_partition
from dataops_mesh.spec.slo import recency_of
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.log import Release
from dataops_mesh.watch.built import built_of, lights_of, newest_of
from dataops_mesh.watch.excused import excuses

FRESHNESS = "freshness"
HELD = "held"
LOOKED_AT = 50  # events of a product


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


@dataclass(frozen=True, slots=True)
class Read:
    """What consumers read of a product.

    Args:
        publication: the newest of it.
        built: when that was built.
        stale: why its gate found its data older than promised; None if it did not.
        audit: the newest look at it since.
        done: all that it will ever publish is there.
    """

    publication: int
    built: datetime
    stale: str | None = None
    audit: AuditRecord | None = None
    done: bool = False


def slo_of(product: Product, ledger: Ledger, now: datetime, release: Release) -> Slo:
    """Return how the product keeps its promises about runs and about data.

    What a person holds, and what is built from it, is not late because of that.
    """
    lights = lights_of(product, release)
    newest = newest_of(lights)
    built = built_of(ledger, release, lights)
    if newest is None or newest[0] not in built:
        return Slo()  # never, or not any more
    address, light = newest
    done = is_complete(product, release, now)
    found = Read(light.publication, built[address], done=done)
    if promises_data(product):
        stale = failed_results(ledger, {light.candidate}, FRESHNESS).get(light.candidate)
        found = replace(found, stale=stale, audit=last_audit(ledger, product.qualified_name))
    behind = (*holds_behind(product, release), *gone_inputs(product, release))
    return kept(product, found, excuses(product, behind, release, now), now)


def kept(product: Product, read: Read, excused: Collection[Hold], now: datetime) -> Slo:
    """Return how a product keeps its promises.

    Args:
        product: the product.
        read: what consumers read of it.
        excused: what people decided that keeps it from going on.
        now: the real time.
    """
    runs, data, why = "", "", []
    if read.done:
        return Slo()  # nobody waits for more
    if recency := recency_of(product):
        age = now - read.built
        runs = "on time"
        if age > timedelta(hours=recency.warn):
            runs = "late" if age > timedelta(hours=recency.fail) else "due"
            why.append(f"the last publication is {span(age)} old; promised: {recency.promise}")
    if promises_data(product):
        stale = _stale(read)
        data = "fresh" if stale is None else "stale"
        why += [] if stale is None else [stale or "the data is older than promised"]
    if excused:
        runs, data = (HELD if one in {"late", "stale"} else one for one in (runs, data))
    return Slo(runs, data, tuple(why))


def is_complete(product: Product, release: Release, now: datetime) -> bool:
    """Tell whether a product is past the end of its partitions, and the last is published."""
    cut = product.partitioning
    last = last_partition(cut, now) if cut is not None else None
    entries = (release.ports.get(port.address) for port in product.outputs)
    return last is not None and all(entry and entry.part(last.key) for entry in entries)


def _stale(read: Read) -> str | None:
    """Return what the newest look at the data said: an audit's, else that of the gate."""
    audit = read.audit
    if audit and audit.outcome != DAMAGED and audit.publication == read.publication:
        found = [reason for _, check, _, reason in audit.failed if check == FRESHNESS]
        return found[0] if found else None
    return read.stale


def promises_data(product: Product) -> bool:
    """Tell whether a product promises how old its data may be."""
    return any(
        sla.property == FRESHNESS and sla.element
        for port in product.outputs
        for sla in port.contract.slas
    )


def span(age: timedelta) -> str:
    """Return how long something is, in the unit that people would say.

    >>> span(timedelta(minutes=4)), span(timedelta(hours=26)), span(timedelta(days=3))
    ('4 minutes', '26.0 hours', '3.0 days')
    """
    hours = age.total_seconds() / 3600
    if hours < 1:
        return f"{60 * hours:.0f} minutes"
    return f"{hours / 24:.1f} days" if hours > 48 else f"{hours:.1f} hours"  # noqa: PLR2004
