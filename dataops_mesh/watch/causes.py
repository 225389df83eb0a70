"""Which incident is the cause of which: what is late because something upstream is wrong.

A product that is late or stale is told with its cause, not by itself. The cause is wrong with
something that the product reads, however far up, began no later, and has no cause of its own. Of
what the product itself is wrong with, only a delivery that has not come is the cause.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dataops_mesh.ledger.reads import read_addresses
from dataops_mesh.ledger.trouble.incidents import Incident, incidents_since
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.watch.deliveries import DELIVERY
from dataops_mesh.watch.endings import ENDED, WITHDRAWN
from dataops_mesh.watch.trouble import CAUGHT, FAILED, LATE

if TYPE_CHECKING:
    from dataops_mesh.ledger import Ledger
    from dataops_mesh.store.log import Release

CAUSES = frozenset({CAUGHT, FAILED, LATE, WITHDRAWN, ENDED, DELIVERY})
# Two domains are looked at one after the other, not in the moment in which both are late.
TOGETHER = timedelta(minutes=5)
# What reads the cause needs a while after it has ended, and is not told of by itself meanwhile.
LINGERS = timedelta(hours=1)


def causes(
    incidents: Iterable[Incident], above: Mapping[str, Collection[str]], now: datetime
) -> dict[str, tuple[Incident, ...]]:
    """Return the causes of each incident that has one, by its name.

    Args:
        incidents: all that are open in the mesh, and those that were closed lately.
        above: what each product reads, however far up.
        now: the time.
    """
    every = sorted(incidents, key=lambda one: (one.opened, one.incident))
    by_product: dict[str, list[Incident]] = {}
    for one in every:
        if one.trouble.kind in CAUSES:
            by_product.setdefault(one.trouble.product, []).append(one)
    known: dict[str, dict[str, Incident]] = {}

    def roots(incident: Incident) -> dict[str, Incident]:
        name = incident.incident
        if name not in known:
            found: dict[str, Incident] = {}
            for one in _before(incident, by_product, above):
                if _explains(one, incident, now):
                    found |= roots(one) or {one.incident: one}
            known[name] = found
        return known[name]

    late = [one for one in every if one.trouble.kind == LATE]
    found = {one.incident: _in_order(roots(one).values()) for one in late}
    return {name: said for name, said in found.items() if said}


def causes_now(
    products: Sequence[Product], ledger: Ledger, release: Release, now: datetime
) -> dict[str, tuple[Incident, ...]]:
    """Return the causes of each incident of the mesh that has one, by its name."""
    every = incidents_since(ledger, now - LINGERS)
    late = {one.trouble.product for one in every if one.trouble.kind == LATE}
    return causes(every, above_of(products, late, ledger, release), now) if late else {}


def above_of(
    products: Sequence[Product], late: Collection[str], ledger: Ledger, release: Release
) -> dict[str, frozenset[str]]:
    """Return what these products read, however far up: as declared here, else as they last read.

    Args:
        products: declarations that are known here.
        late: the names of the products that are asked about.
        ledger: knows what others read.
        release: knows whose a port is.
    """
    declared = {one.qualified_name: frozenset(str(p.address) for p in one.inputs if p.address)
                for one in products}  # fmt: skip
    feeds: dict[str, frozenset[str]] = {}
    waiting = set(late)
    while waiting:
        read = read_addresses(ledger, waiting - declared.keys()) | {
            name: declared[name] for name in waiting & declared.keys()
        }
        for name in waiting:
            feeds[name] = frozenset(_makers(read.get(name, ()), release)) - {name}
        waiting = {one for name in waiting for one in feeds[name]} - feeds.keys()
    return {name: _all_above(name, feeds) for name in feeds}


def _makers(addresses: Iterable[str], release: Release) -> Iterable[str]:
    for text in addresses:
        port = release.ports.get(Address.parse(text))
        if port is not None:
            yield port.product


def _all_above(name: str, feeds: Mapping[str, Collection[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = set(feeds.get(name, ()))
    while waiting:
        found |= waiting
        waiting = {above for one in waiting for above in feeds.get(one, ())} - found
    return frozenset(found - {name})


def _before(
    incident: Incident,
    by_product: Mapping[str, Sequence[Incident]],
    above: Mapping[str, Collection[str]],
) -> list[Incident]:
    """Return what may be the cause of an incident; of a delivery, nothing in the mesh is."""
    own, kind = incident.trouble.product, incident.trouble.kind
    if kind == DELIVERY:
        return []
    found = [one for name in _strictly_above(own, above) for one in by_product.get(name, ())]
    if kind == LATE:
        found += [one for one in by_product.get(own, ()) if one.trouble.kind == DELIVERY]
    return found


def _strictly_above(name: str, above: Mapping[str, Collection[str]]) -> list[str]:
    """Return what is above a product and does not read it in turn: else neither were told of."""
    return sorted(one for one in above.get(name, ()) if name not in above.get(one, ()))


def _explains(cause: Incident, incident: Incident, now: datetime) -> bool:
    if cause.opened > incident.opened + TOGETHER:
        return False
    if cause.closed is None:
        return True
    return incident.opened <= cause.closed and now - cause.closed < LINGERS


def _in_order(found: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple(sorted(found, key=lambda one: (one.opened, one.incident)))
