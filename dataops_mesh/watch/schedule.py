"""When a channel is told of an incident: at once, again while it lasts, and that it is over.

What is due follows from what the channel has been told, as it is on record, and from the clock.
Time is cut into slots from the moment of the first alert, and each slot has at most one reminder,
named by its number: so a clock that jumps or a process that begins anew tells none twice, and a
slot in which nobody looked is no reason to tell of it later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataops_mesh.cron import length_of
from dataops_mesh.ledger.trouble.incidents import Incident
from dataops_mesh.settings import Settings

OPENED, ESCALATED, CLEARED, REMIND, AFFECTS = "opened", "escalated", "cleared", "remind", "affects"
# Another product that is late for the same reason: told once an hour, not one by one.
PAUSE = timedelta(hours=1)

Said = Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long after the first alert what follows.

    Args:
        remind: between two reminders; None for none.
        escalate_after: between the beginning of a trouble and its escalation.
        escalate: the channels that are told then.
    """

    remind: timedelta | None = None
    escalate_after: timedelta | None = None
    escalate: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Schedule:
        """Return what the settings say."""
        return cls(
            length_of(settings.remind), length_of(settings.escalate_after), settings.escalate
        )


def due(  # noqa: PLR0913 - keywords, each a fact of the incident and the channel
    incident: Incident,
    said: Said,
    schedule: Schedule,
    now: datetime,
    *,
    acknowledged: bool = False,
    escalates: bool = False,
    more: bool = False,
) -> str | None:
    """Return what a channel is to be told of an incident now, if anything.

    Args:
        incident: what is or was wrong.
        said: what the channel was told of it, and when.
        schedule: of reminders and escalation.
        now: the time.
        acknowledged: somebody said that it is looked at.
        escalates: the channel is told only of what lasts.
        more: it affects something that the channel does not know of.
    """
    first = said.get(OPENED, said.get(ESCALATED))
    if incident.closed is not None:
        # Nobody wants the all clear of an alert that never came.
        return CLEARED if first is not None and CLEARED not in said else None
    if first is None and not escalates:
        return OPENED
    if acknowledged:
        return None
    if escalates and first is None:
        return ESCALATED if _lasts(incident, schedule, now) else None
    slot = _slot(first, schedule, now)
    if slot and f"{REMIND} {slot}" not in said:
        return f"{REMIND} {slot}"
    if more and all(abs(now - at) >= PAUSE for at in said.values()):
        return f"{AFFECTS} {sum(what.startswith(AFFECTS) for what in said) + 1}"
    return None


def moments(said: Said, schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """Yield when a channel may have to be told of an open incident again."""
    first = said.get(OPENED, said.get(ESCALATED))
    if first is not None:
        yield max(said.values()) + PAUSE
        if schedule.remind is not None:
            yield first + (_slot(first, schedule, now) + 1) * schedule.remind


def _lasts(incident: Incident, schedule: Schedule, now: datetime) -> bool:
    return schedule.escalate_after is not None and now - incident.opened >= schedule.escalate_after


def _slot(first: datetime | None, schedule: Schedule, now: datetime) -> int:
    """Return the number of the slot; 0 is that of the first alert, and as long before it."""
    if first is None or schedule.remind is None:
        return 0
    return int((now - first) / schedule.remind)  # towards 0: clocks differ a little
