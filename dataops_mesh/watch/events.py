"""Events for services: every publication, once it has happened, in order, and none skipped.

What has to be told follows from the log: a channel has been told up to a release, and is told of
every later one that switched the product. Nobody need have looked when it happened.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.errors import Problem
from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.trouble.deliveries import due_publications, record_delivery, told_up_to
from dataops_mesh.run.environment import Environment
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.store.store import Store
from dataops_mesh.watch.channels import (
    Hook,
    NotDeliveredError,
    Targets,
    UnreachableError,
    is_web,
    post_body,
    read_targets,
)
from dataops_mesh.watch.signature import secret_problem, signed_headers
from dataops_mesh.watch.switches import Switched, switches

LOGGER = logging.getLogger("dataops_mesh.events")
PUBLISHED = "published"
_TYPE = {"Content-Type": "application/cloudevents+json"}


@dataclass(frozen=True, slots=True)
class Told:
    """One attempt to tell one channel of one publication.

    Args:
        fault: why it did not arrive; empty if it did. Never the channel's target.
    """

    product: str
    channel: str
    publication: int
    fault: str = ""


def tell_events(  # noqa: PLR0913, PLR0917 - what is told, to whom, from where, until when
    product: Product,
    targets: Targets,
    environment: Environment,
    ledger: Ledger,
    until: float,
    silent: dict[str, str],
) -> list[Told]:
    """Post what the product's channels have not been told yet; what fails waits for the next look.

    Args:
        product: whose channels.
        targets: where these lead.
        environment: the store and the settings.
        ledger: knows up to where each channel has been told.
        until: when to stop, by the monotonic clock.
        silent: addresses that did not answer at this look, and why; they are not waited for again.
    """
    found = []
    for channel in product.events:
        addresses = [one for one in targets.channels.get(channel, ()) if is_web(one)]
        if not addresses:
            LOGGER.warning('channel "%s" of %s leads nowhere', channel, product.qualified_name)
            continue
        hook = targets.hooks.get(channel, Hook())
        line = _Line(product, channel, tuple(addresses), hook, environment.store, ledger)
        for one in _tell_line(line, until, silent):
            if one.fault:
                LOGGER.warning('channel "%s" did not take an event: %s', channel, one.fault)
            found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class _Line:
    """A channel of a product: where it leads, and what knows up to where it has been told."""

    product: Product
    channel: str
    addresses: tuple[str, ...]
    hook: Hook
    store: Store
    ledger: Ledger

    def told(self, number: int, address: str = "") -> None:
        """Put on record that all of it has been told, or one address of several."""
        name, now = self.product.qualified_name, datetime.now(UTC)
        to = self.key(address) if address else self.channel
        record_delivery(self.ledger, name, to, str(number), now, publication=number)

    def key(self, address: str) -> str:
        """Return what the record calls one address of several: a digest, for it is a secret."""
        return f"{self.channel}#{hashlib.sha256(address.encode()).hexdigest()[:12]}"

    def ahead(self) -> dict[str, int]:
        """Return up to where each address was told while another did not take it."""
        if len(self.addresses) == 1:
            return {}
        name = self.product.qualified_name
        return {one: told_up_to(self.ledger, name, self.key(one)) for one in self.addresses}


def _tell_line(line: _Line, until: float, silent: dict[str, str]) -> Iterator[Told]:
    """Tell each address in order; one that fails waits, and the others go on without it."""
    name, left = line.product.qualified_name, list(line.addresses)
    due = due_publications(line.ledger, name, line.channel)
    ahead = line.ahead() if due else {}
    for number in due:
        if not left or time.monotonic() > until:
            return
        for address in [one for one in left if ahead.get(one, 0) < number]:
            fault = silent.get(address) or _tell(line, number, address, silent)
            if fault:
                left.remove(address)  # the order is kept
                yield Told(name, line.channel, number, fault)
            elif ahead:
                line.told(number, address)
        if len(left) == len(line.addresses):
            line.told(number)
            yield Told(name, line.channel, number)


def event_problems(products: Iterable[Product], settings: Settings) -> Iterator[Problem]:
    """Yield what keeps the events of products from arriving, as far as it is known here.

    Raises:
        SettingsError: the alerts file is not valid.
    """
    telling = [product for product in products if product.events]
    file = settings.root / (settings.alerts_file or "")
    here = settings.alerts_file is not None and (file.is_file() or not settings.event_channels)
    if not telling:
        return
    targets = read_targets(settings) if here else Targets()
    known = {*settings.event_channels, *targets.channels}
    for product in telling:
        for channel in product.events:
            what = _wrong(channel, known, targets if here else None)
            if what:
                what = f'{product.qualified_name} tells the channel "{channel}", {what}'
                then = "docs/production.md, Events for services"
                key = "customProperties.events"
                yield Problem(what, product.where, key, tuple(sorted(known)), then)


def _wrong(channel: str, known: set[str], targets: Targets | None) -> str:
    if channel not in known:
        return "which neither the setting `event_channels` nor the alerts file knows"
    if targets is None:  # the file is a secret and not here
        return ""
    if not any(map(is_web, targets.channels.get(channel, ()))):
        return "which has no http(s) address in the alerts file"
    name = targets.hooks.get(channel, Hook()).secret
    if name and name in os.environ and (wrong := secret_problem(os.environ[name])):
        return f"whose secret ${name} {wrong}"
    return ""


def cloud_event(product: Product, switched: Switched) -> dict[str, Any]:
    """Return what happened as a CloudEvent 1.0 (structured mode)."""
    return {
        "specversion": "1.0",
        "id": switched.about,
        "source": f"urn:dataops_mesh:{product.qualified_name}",
        "type": f"dataops_mesh.{switched.kind}",
        "subject": str(switched.address),
        "time": switched.at,
        "datacontenttype": "application/json",
        "data": {
            "address": str(switched.address),
            "partition": switched.partition or None,
            "kind": switched.kind,
            "publication": switched.number,
            "candidate": switched.candidate or None,
            "rows": switched.rows,
            "fingerprint": switched.fingerprint or None,
            "previous": switched.previous or None,
            "run_id": switched.run_id,
        },
    }


def _tell(line: _Line, number: int, address: str, silent: dict[str, str]) -> str:
    """Post the events of one publication to an address; return why that failed, or nothing."""
    secret = os.environ.get(line.hook.secret, "") if line.hook.secret else ""
    if line.hook.secret and (not secret or secret_problem(secret)):
        return f"its secret ${line.hook.secret} is not set, or is none"
    every = switches(line.product, number, line.store, line.ledger)
    try:
        for switched in [one for one in every if one.is_news or line.hook.unchanged]:
            body = json.dumps(cloud_event(line.product, switched)).encode()
            now = int(time.time())
            signed = signed_headers(secret, switched.about, now, body) if secret else {}
            post_body(address, body, {**_TYPE, **signed})
    except UnreachableError as error:
        silent[address] = str(error)
        return str(error)
    except NotDeliveredError as error:
        return str(error)
    return ""
