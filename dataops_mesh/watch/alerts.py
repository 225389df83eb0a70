"""Telling people and services: one alert per incident and channel, one all clear, every event.

What was delivered is on record, so a channel that could not be reached is tried again at the next
tick, and one that was reached is not told twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dataops_mesh.ledger.deliveries import delivered, record_delivery
from dataops_mesh.ledger.incidents import (
    Incident,
    incidents_of,
)
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.watch.channels import (
    LOG,
    Message,
    NotDeliveredError,
    UnreachableError,
    channels_of,
    read_targets,
    resolve,
    send,
)
from dataops_mesh.watch.events import PUBLISHED, tell_events

LOGGER = logging.getLogger("dataops_mesh.alerts")
OPENED, CLEARED = "opened", "cleared"
TITLES = {
    "caught": "refused: {}",
    "failed": "run failed: {}",
    "escaped": "published data breaks its contract: {}",
    "late": "late: {}",
    "withdrawn": "reads what was withdrawn: {}",
    "ended": "past its end and still read: {}",
}
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


def deliver(products: Iterable[Product], environment: Environment) -> tuple[Delivery, ...]:
    """Send what the channels of products have not been told yet.

    Raises:
        SettingsError: the alerts file is not valid.
    """
    targets = read_targets(environment.settings)
    until = time.monotonic() + BUDGET_SECONDS
    found: list[Delivery] = []
    silent: dict[str, str] = {}
    with open_record(environment) as ledger:
        for product in products:
            incidents = incidents_of(ledger, [product.qualified_name], limit=100)
            known = delivered(ledger, [item.incident for item in incidents])
            for incident in reversed(incidents):
                for channel in channels_of(product, targets):
                    what = _due(incident, channel, known)
                    if what is None or time.monotonic() > until:
                        continue
                    message = message_of(product, incident, what, environment.settings)
                    delivery = Delivery(incident.incident, channel, what)
                    leads_to = resolve(product, channel, targets)
                    found.append(_tell(delivery, leads_to, message, silent))
                    if not found[-1].fault:
                        now = datetime.now(UTC)
                        record_delivery(ledger, incident.incident, channel, what, now)
            found += [
                Delivery(one.product, one.channel, PUBLISHED, one.fault)
                for one in tell_events(product, targets, environment, ledger, until, silent)
            ]
    return tuple(found)


def message_of(product: Product, incident: Incident, what: str, settings: Settings) -> Message:
    """Return what people are told of an incident."""
    trouble = incident.trouble
    subject = f"{trouble.product} ({trouble.subject})" if trouble.subject else trouble.product
    title = TITLES[trouble.kind].format(subject)
    lines = [trouble.why]
    if trouble.kind in {"caught", "failed"} and what == OPENED:
        lines.append("Nothing was published: consumers still read the last good publication.")
    link = ""
    if settings.ui_url and trouble.run_id:
        link = f"{settings.ui_url.rstrip('/')}/runs/{trouble.run_id}"
    if what == CLEARED:
        title = f"all clear: {TITLES[trouble.kind].format(subject)}"
        lines = [f"Over since {incident.closed:%Y-%m-%d %H:%M} UTC."]
    return Message(
        title=title,
        body="\n".join(line for line in lines if line),
        link=link,
        good=what == CLEARED,
        data={
            "product": trouble.product,
            "kind": trouble.kind,
            "incident": incident.incident,
            "opened": f"{incident.opened:%Y-%m-%d %H:%M} UTC",
            "team": product.team.name if product.team else "",
            "owners": ", ".join(_owners(product)),
            "command": f"mesh show {trouble.product} --history",
        },
    )


def _due(incident: Incident, channel: str, known: frozenset[tuple[str, str, str]]) -> str | None:
    """Return what a channel has to be told of an incident, if anything."""
    told = {what for about, name, what in known if (about, name) == (incident.incident, channel)}
    if incident.closed is None:
        return None if OPENED in told else OPENED
    # Nobody wants the all clear of an alert that never came.
    return CLEARED if OPENED in told and CLEARED not in told else None


def _tell(
    delivery: Delivery, targets: Iterable[str], message: Message, silent: dict[str, str]
) -> Delivery:
    """Send to every target of a channel; it has been told when one of them took it.

    What did not answer at this look is not waited for again: others would not be told in time.
    """
    if delivery.channel == LOG:
        level = logging.INFO if message.good else logging.ERROR
        LOGGER.log(level, "%s\n%s", message.title, message.body)
        return delivery
    faults, taken = [], 0
    for target in targets:
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
    if faults:
        LOGGER.warning('channel "%s" did not take an alert: %s', delivery.channel, faults)
    return delivery if taken else replace(delivery, fault="; ".join(faults))


def _owners(product: Product) -> list[str]:
    members = product.team.members if product.team else ()
    return [member.username for member in members if (member.role or "").lower() == "owner"]
