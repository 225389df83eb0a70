"""What an alert needs to know of one moment: incidents, their causes, what was told, what is seen.

A product that is late because of something upstream is told with its cause: the channels of both
hear of the cause once, and it names all that is late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.trouble.deliveries import delivered
from dataops_mesh.ledger.trouble.incidents import (
    Incident,
    incidents_named,
    incidents_of,
    incidents_since,
)
from dataops_mesh.spec.model import Product
from dataops_mesh.store.log import Release
from dataops_mesh.watch.acknowledged import Acknowledged, acknowledged
from dataops_mesh.watch.causes import LINGERS, above_of, causes
from dataops_mesh.watch.schedule import CLEARED, ESCALATED, OPENED, Schedule, due, moments
from dataops_mesh.watch.trouble import LATE
from dataops_mesh.watch.words import is_mild

_BY = "by "
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Telling:
    """A channel of a product, and an incident that it may have to be told of.

    Args:
        product: whose channel it is.
        escalates: the channel is told only of what lasts.
        late: the product's own incident, where the other one is its cause.
    """

    product: Product
    channel: str
    incident: Incident
    escalates: bool = False
    late: Incident | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment.

    Args:
        own: the incidents of each product that is looked at, oldest first.
        known: every incident that has to do with these, by name.
        causes: of incidents that have one.
        affected: the open incidents that each is the cause of.
        said: what each channel was told of each incident, and when.
        seen: what somebody looks at.
    """

    now: datetime
    schedule: Schedule
    own: Mapping[str, Sequence[Incident]]
    known: Mapping[str, Incident]
    causes: Mapping[str, Sequence[Incident]]
    affected: Mapping[str, Sequence[Incident]]
    said: dict[tuple[str, str], dict[str, datetime]] = field(default_factory=dict)
    seen: Mapping[str, Acknowledged] = field(default_factory=dict)

    def told(self, incident: Incident, channel: str) -> Mapping[str, datetime]:
        """Return what a channel was told of an incident."""
        return self.said.get((incident.incident, channel), {})

    def tell(self, incident: Incident, channel: str, what: str, at: datetime) -> None:
        """Note what a channel was told, for the rest of this look."""
        self.said.setdefault((incident.incident, channel), {})[what] = at

    def due(self, one: Telling) -> str | None:
        """Return what a channel has to be told now, if anything."""
        said = self.told(one.incident, one.channel)
        mild = one.late is None and is_mild(one.product, one.incident)
        if mild and one.escalates:
            return None
        return due(
            one.incident,
            said,
            self.schedule,
            self.now,
            acknowledged=mild or one.incident.incident in self.seen,
            escalates=one.escalates,
            more=bool(self.news(one)),
        )

    def news(self, one: Telling) -> list[Incident]:
        """Return what is late because of an incident, and was not told to the channel with it."""
        mine = [one.late] if one.late else self.affected.get(one.incident.incident, ())
        word = by(one.incident)
        return [late for late in mine if word not in self.told(late, one.channel)]


def by(cause: Incident) -> str:
    """Return the word by which it is on record that an incident was told with its cause."""
    return f"{_BY}{cause.incident}"


def picture(
    products: Sequence[Product], ledger: Ledger, release: Release, schedule: Schedule, now: datetime
) -> Picture:
    """Return what is known at this moment of the incidents of products."""
    every = incidents_since(ledger, now - LINGERS)
    own = {
        one.qualified_name: incidents_of(ledger, [one.qualified_name], limit=_LOOKED_AT)[::-1]
        for one in products
    }
    late = {one.trouble.product for one in every if one.trouble.kind == LATE}
    above = above_of(products, late, ledger, release) if late else {}
    found = causes(every, above, now)
    known = {one.incident: one for ones in (every, *own.values()) for one in ones}
    affected: dict[str, list[Incident]] = {}
    for name, roots in found.items():
        for root in roots if known[name].closed is None else ():
            affected.setdefault(root.incident, []).append(known[name])
    said = {key: dict(one) for key, one in delivered(ledger, known).items()}
    told = {what.removeprefix(_BY) for one in said.values() for what in one if what[:3] == _BY}
    if lacking := told - known.keys():  # causes that were over before this look
        known |= {one.incident: one for one in incidents_named(ledger, lacking)}
        said |= {key: dict(one) for key, one in delivered(ledger, lacking).items()}
    seen = acknowledged(ledger, known.values(), now)
    return Picture(now, schedule, own, known, found, affected, said, seen)


def tellings(product: Product, channels: Sequence[str], seen: Picture) -> Iterator[Telling]:
    """Yield what the channels of a product may have to be told of, oldest first."""
    lasting = [one for one in seen.schedule.escalate if one not in channels]
    for incident in seen.own[product.qualified_name]:
        for channel in channels:
            roots = _roots(incident, channel, seen)
            for root in roots:
                yield Telling(product, channel, root, late=incident)
            if not roots:
                yield Telling(product, channel, incident)
            yield from _over(product, channel, incident, seen)
        for channel in lasting:
            if not _roots(incident, channel, seen):
                yield Telling(product, channel, incident, escalates=True)


def wakes(seen: Picture) -> Iterator[datetime]:
    """Yield when the clock alone may make something due."""
    yield from (one.until for one in seen.seen.values())
    for (name, _), said in seen.said.items():
        incident = seen.known.get(name)
        if incident is not None and incident.closed is None:
            yield from moments(said, seen.schedule, seen.now)
    for one in seen.known.values():
        if one.closed is not None:
            yield one.closed + LINGERS
        elif seen.schedule.escalate_after is not None:
            yield one.opened + seen.schedule.escalate_after


def _roots(incident: Incident, channel: str, seen: Picture) -> Sequence[Incident]:
    """Return what the channel is told of instead; what was told by itself stays by itself."""
    said = seen.told(incident, channel)
    if incident.closed is not None or OPENED in said or ESCALATED in said:
        return ()
    return seen.causes.get(incident.incident, ())


def _over(product: Product, channel: str, late: Incident, seen: Picture) -> Iterator[Telling]:
    """Yield the causes of the past that the channel was told of and that are over."""
    for what in seen.told(late, channel):
        cause = seen.known.get(what.removeprefix(_BY)) if what.startswith(_BY) else None
        if cause is not None and cause.closed and CLEARED not in seen.told(cause, channel):
            yield Telling(product, channel, cause, late=late)
