"""What is wrong because of something else: it is shown with its cause, as alerts tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from dataops_mesh.ledger.trouble.incidents import Incident, Trouble
from dataops_mesh.watch.causes import causes
from dataops_mesh.watch.trouble import LATE
from dataops_mesh.web.catalogue import Catalogue, upstream
from dataops_mesh.web.facts.wrong import Wrong

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def with_causes(catalogue: Catalogue, found: Iterable[Wrong], now: datetime) -> tuple[Wrong, ...]:
    """Return the same things in the same order, each with what it waits for and what waits for it.

    Args:
        catalogue: knows who reads whom.
        found: what is wrong; causes are looked for among them alone.
        now: the time.
    """
    every = {str(number): one for number, one in enumerate(found)}
    if not any(one.kind == LATE for one in every.values()):
        return tuple(every.values())
    above = {one.product: frozenset(upstream(catalogue, one.product)) for one in every.values()}
    incidents = [_incident(name, one, now) for name, one in every.items()]
    because: dict[str, list[str]] = {name: [] for name in every}
    waiting: dict[str, list[str]] = {name: [] for name in every}
    for name, roots in causes(incidents, above, now).items():
        for root in roots:
            because[name].append(root.trouble.product)
            waiting[root.incident].append(every[name].product)
    return tuple(
        replace(one, because=_once(because[name]), waiting=_once(waiting[name]))
        for name, one in every.items()
    )


def roots(found: Iterable[Wrong]) -> tuple[Wrong, ...]:
    """Return what is wrong by itself."""
    return tuple(one for one in found if not one.because)


def _incident(name: str, one: Wrong, now: datetime) -> Incident:
    """Return it as an incident; where nobody knows since when, it was the cause all along."""
    since = one.since or (now if one.kind == LATE else _LONG_AGO)
    return Incident(name, Trouble(one.product, one.kind, one.subject, ""), since)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
