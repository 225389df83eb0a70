"""Telling people and services: each incident once and again while it lasts, its end, every event.

What was delivered is on record, so a channel that could not be reached is tried again at the next
tick, and one that was reached is not told twice.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.trouble.claims import Claim, give_up, take
from dataops_mesh.ledger.trouble.deliveries import record_delivery
from dataops_mesh.ledger.trouble.incidents import Incident
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.spec.model import Product
from dataops_mesh.store.log import latest
from dataops_mesh.watch.channels import (
    LOG,
    Message,
    NotDeliveredError,
    Targets,
    UnreachableError,
    channels_of,
    read_targets,
    resolve,
    send,
)
from dataops_mesh.watch.events import PUBLISHED, tell_events
from dataops_mesh.watch.former import last_published
from dataops_mesh.watch.picture import Picture, Telling, by, picture, tellings
from dataops_mesh.watch.schedule import CLEARED, Schedule
from dataops_mesh.watch.words import Affected, message_of, owners_of

LOGGER = logging.getLogger("dataops_mesh.alerts")
# A tick of a sensor may take a minute; what is left is sent at the next one.
BUDGET_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to tell one channel.

    Args:
        fault: why it did not arrive; empty if it did. Never the channel's target.
    """

    about: str
    channel: str
    what: str
    fault: str = ""


def deliver(
    products: Iterable[Product], environment: Environment, now: datetime | None = None
) -> tuple[Delivery, ...]:
    """Send what the channels of products have not been told yet.

    Args:
        products: whose channels.
        environment: the store and the settings.
        now: the time; the real one if absent.

    Raises:
        SettingsError: the alerts file is not valid.
    """
    targets, every = read_targets(environment.settings), tuple(products)
    at = now or datetime.now(UTC)
    until = time.monotonic() + BUDGET_SECONDS
    found: list[Delivery] = []
    silent: dict[str, str] = {}
    schedule, release = Schedule.of(environment.settings), latest(environment.store)
    with open_record(environment) as ledger:
        seen = picture(every, ledger, release, schedule, at)
        look = _Look(environment, ledger, targets, seen, {p.qualified_name: p for p in every})
        for product in every:
            channels = channels_of(product, targets)
            for one in tellings(product, channels, seen):
                what = seen.due(one)
                if what is not None and time.monotonic() <= until:
                    found += look.tell(one, what, silent)
            found += [
                Delivery(one.product, one.channel, PUBLISHED, one.fault)
                for one in tell_events(product, targets, environment, ledger, until, silent)
            ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look, by one process."""

    environment: Environment
    ledger: Ledger
    targets: Targets
    seen: Picture
    products: dict[str, Product]
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def tell(self, one: Telling, what: str, silent: dict[str, str]) -> list[Delivery]:
        """Tell a channel, unless another process does."""
        claim = Claim(one.incident.incident, one.channel, what)
        if not take(self.ledger, claim, self.name, datetime.now(UTC)):
            return []
        try:
            delivery = Delivery(one.incident.incident, one.channel, what)
            leads_to = resolve(one.product, one.channel, self.targets)
            told = _tell(delivery, leads_to, self.message(one, what), silent)
            if not told.fault:
                self.record(one, what)
        finally:
            give_up(self.ledger, claim, self.name)
        return [told]

    def message(self, one: Telling, what: str) -> Message:
        """Return what the channel is told."""
        product, opened = self.product(one.incident.trouble.product), one.incident.opened
        late = [item.trouble.product for item in self.late(one)]
        affected = [Affected(n, owners_of(self.product(n))) for n in sorted(set(late))]
        lasted = (one.incident.closed or self.seen.now) - opened
        settings = self.environment.settings
        return message_of(product, one.incident, what, settings, lasted, affected)

    def late(self, one: Telling) -> Sequence[Incident]:
        """Return what is late because of an incident: all of it, whoever is told."""
        return self.seen.affected.get(one.incident.incident, ())

    def record(self, one: Telling, what: str) -> None:
        """Put on record what the channel was told."""
        rows = [(one.incident, what)]
        if what != CLEARED:
            rows += [(item, by(one.incident)) for item in self.late(one)]
        for incident, word in rows:
            record_delivery(self.ledger, incident.incident, one.channel, word, self.seen.now)
            self.seen.tell(incident, one.channel, word, self.seen.now)

    def product(self, name: str) -> Product | None:
        """Return a product as it is declared here, else as it was published."""
        return self.products.get(name) or last_published(name, self.environment)


def _tell(
    delivery: Delivery, targets: Iterable[str], message: Message, silent: dict[str, str]
) -> Delivery:
    """Send to every target of a channel; it has been told when one of them took it.

    What did not answer at this look is not waited for again: others would not be told in time.
    """
    if delivery.channel == LOG:
        grave = logging.WARNING if message.mild else logging.ERROR
        level = logging.INFO if message.good else grave
        LOGGER.log(level, "%s\n%s", message.title, message.body)
        return delivery
    faults, taken = [], 0
    for target in (leads_to := tuple(targets)):
        if target in silent:
            faults.append(silent[target])
            continue
        try:
            send(target, message)
            taken += 1
        except UnreachableError as error:
            silent[target] = str(error)
            faults.append(str(error))
        except NotDeliveredError as error:
            faults.append(str(error))
    if not leads_to:
        faults.append("it leads nowhere: the alerts file does not have it")
    if faults:
        LOGGER.warning('channel "%s" did not take an alert: %s', delivery.channel, faults)
    return delivery if taken else replace(delivery, fault="; ".join(faults))
