"""What is wrong now: in words, for whom, since when, and what to type next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dataops_mesh.ledger import Ledger, history
from dataops_mesh.ledger.trouble.faults import last_refused
from dataops_mesh.ledger.trouble.incidents import DAMAGED, Incident, incidents_of
from dataops_mesh.run.environment import Environment
from dataops_mesh.spec.model import Product
from dataops_mesh.watch.acknowledged import Acknowledged, acknowledged
from dataops_mesh.watch.conditions import CONDITION
from dataops_mesh.watch.copies import EXPORT
from dataops_mesh.watch.deliveries import DELIVERY
from dataops_mesh.watch.states import WATCHED, State
from dataops_mesh.watch.trouble import (
    CAUGHT,
    DATA,
    ESCAPED,
    FAILED,
    LATE,
    RUNS,
    listed,
    over_since,
)
from dataops_mesh.watch.words import is_mild
from dataops_mesh.web.catalogue import Catalogue, downstream
from dataops_mesh.web.facts.commands import first_command

BROKEN = "unreadable"
# What people are told, where an incident's kind is another word.
KINDS = {CAUGHT: "refused", ESCAPED: "wrong data", DAMAGED: "file damaged",
         BROKEN: "cannot be read"}  # fmt: skip
# The gravest first: what consumers read is wrong; it is old; it will be.
ORDER = (
    *(DAMAGED, ESCAPED, LATE, CAUGHT, FAILED, DELIVERY, EXPORT, CONDITION),
    *("withdrawn", "ended", BROKEN),
)
_TITLES = {
    DAMAGED: "A file of what is published is damaged",
    ESCAPED: "What is published breaks its contract",
    CAUGHT: "The gate refused the last candidate",
    FAILED: "The last run failed",
    CONDITION: "What its team wants to be told of",
    DELIVERY: "What it reads has not come",
    EXPORT: "A copy elsewhere is behind",
    "withdrawn": "What it reads was withdrawn",
    "ended": "It has ended, and is still read",
    BROKEN: "The declaration cannot be read",
}
_OF_PARTITIONS = {
    CAUGHT: "The gate refused the last candidate of {}",
    FAILED: "The last run of {} failed",
}
_READERS = {
    DAMAGED: "cannot read it",
    ESCAPED: "read it now",
    LATE: "read what is older than promised",
    CAUGHT: "go on with the last publication",
    FAILED: "go on with the last publication",
    DELIVERY: "go on with the last publication",
    EXPORT: "may read the copy before it",
    "withdrawn": "go on with the last publication",
}
# What one reader does, where more of them would do it by another word.
_ONE_DOES = {"go": "goes", "have": "has", "read": "reads"}
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """Who looks at it, since when, until when and why."""

    person: str
    at: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a product.

    Args:
        kind: of the incident, or `unreadable`.
        subject: which part of the product, where that is said.
        why: sentences; the first is the most important.
        since: when it was first seen; None where nobody knows.
        readers: the products that have to do with it, the nearest first.
        readers_do: what these do meanwhile.
        next: the command that shows or mends it.
        incident: its name, once an incident is open.
        seen: who looks at it, where somebody said so.
        candidate: what the gate refused.
        severity: `warning` of a condition that its product calls so: somebody should know.
        because: the products that it waits for, where something wrong with them is the cause.
        waiting: the products that are late because of this.
    """

    product: str
    kind: str
    title: str
    subject: str
    why: tuple[str, ...]
    since: datetime | None
    owner: str
    readers: tuple[str, ...]
    readers_do: str
    next: str
    incident: str = ""
    seen: Seen | None = None
    candidate: str = ""
    severity: str = "error"
    because: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def wrong_now(
    catalogue: Catalogue, environment: Environment, ledger: Ledger, states: Mapping[str, State]
) -> tuple[Wrong, ...]:
    """Return what is wrong now, the gravest first, with those products that are watched.

    Incidents say since when; whether one is over is told by the states, because an incident is
    closed only when somebody looks.
    """
    watched = [name for name in states if catalogue.products[name].status in WATCHED]
    open_now = incidents_of(ledger, watched, only_open=True) if watched else ()
    known = {(one.trouble.product, one.trouble.kind, one.trouble.subject): one for one in open_now}
    parted = {(one.trouble.product, one.trouble.kind, one.trouble.why)
              for one in open_now
              if one.trouble.subject and one.trouble.kind in {CAUGHT, FAILED}}  # fmt: skip
    found: dict[tuple[str, str, str], Wrong] = {}
    for name in watched:
        for kind, subject, why in _seen(states[name]):
            if (name, kind, listed(why)) in parted:
                continue  # the incident says of which partition
            incident = known.get((name, kind, subject))
            since = incident.opened if incident else _first_seen(states[name], kind)
            found[name, kind, subject] = _wrong(
                catalogue, name, kind, subject, why, since, incident
            )
    for key, incident in known.items():
        if key in found or _is_over(incident, states[key[0]]):
            continue
        product = catalogue.products[key[0]]
        if over_since(incident, product, environment, ledger) is None:
            why = tuple(incident.trouble.why.splitlines())
            mild = is_mild(product, incident)
            undoable = key[1] == ESCAPED and _is_undoable(ledger, key[0])
            wrong = _wrong(catalogue, *key, why, incident.opened, incident, undoable=undoable)
            if key[1] == ESCAPED and not undoable and (key[0], CAUGHT, "") in found:
                wrong = replace(wrong, next=f"mesh show {incident.incident}")  # a run was refused
            found[key] = replace(wrong, severity="warning" if mild else "error")
    for name in {name for name, kind, _ in found if kind == "withdrawn"}:
        found.pop((name, FAILED, ""), None)  # the same, as its last run said it
    said = acknowledged(ledger, open_now, datetime.now(UTC)) if open_now else {}
    read = (_for_readers(one, states[one.product]) for one in found.values())
    shown = (_with_candidate(one, catalogue, ledger) for one in read)
    known_seen = (replace(one, seen=seen_of(said.get(one.incident))) for one in shown)
    return tuple(sorted(known_seen, key=_gravity))


def _for_readers(one: Wrong, state: State) -> Wrong:
    """Return what is wrong with what its readers do: nothing, where nothing is published."""
    many = one.readers_do if state.lights else "have nothing of it to read"
    return replace(one, readers_do=does(many, len(one.readers)))


def does(many: str, readers: int) -> str:
    """Return what readers do, which is told of many, of one where there is one.

    >>> does("go on with it", 1), does("cannot read it", 1), does("read it", 2)
    ('goes on with it', 'cannot read it', 'read it')
    """
    verb, _, rest = many.partition(" ")
    return f"{_ONE_DOES.get(verb, verb)} {rest}" if readers == 1 else many


def _with_candidate(one: Wrong, catalogue: Catalogue, ledger: Ledger) -> Wrong:
    """Return what is wrong with what shows or mends it: of a refusal, the refused rows."""
    refused = last_refused(ledger, one.product, one.subject) if one.kind == CAUGHT else ("", 0)
    then = first_command(one.kind, catalogue.products.get(one.product), refused)
    return replace(one, candidate=refused[0], next=then or one.next)


def _is_undoable(ledger: Ledger, name: str) -> bool:
    """Tell whether there is an earlier publication that a rollback can go back to."""
    events = history(ledger, name, _LOOKED_AT)
    return len({one.candidate for one in events if one.what == "published"}) > 1


def unreadable(catalogue: Catalogue) -> tuple[Wrong, ...]:
    """Return what is wrong with declarations that cannot be read."""
    return tuple(
        _wrong(catalogue, name, BROKEN, "", tuple(map(str, problems)), None, None)
        for name, problems in catalogue.broken.items()
    )


def owner_of(product: Product | None) -> str:
    """Return who answers for a product: the owner, else the team."""
    team = product.team if product else None
    if team is None:
        return ""
    owners = [one.username for one in team.members if (one.role or "").lower() == "owner"]
    return ", ".join(owners) or team.name


def seen_of(said: Acknowledged | None) -> Seen | None:
    """Return who looks at an incident."""
    return Seen(said.person, said.at, said.until, said.reason) if said else None


def _seen(state: State) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what the state itself says: kind, subject and why."""
    found = []
    reasons = state.last.last_reasons if state.last else ()
    if state.word == "refused":
        found.append((CAUGHT, "", reasons))
    if state.word == "failed":
        found.append((FAILED, "", reasons))
    if state.slo.runs == "late":
        found.append((LATE, RUNS, state.slo.why[:1]))
    if state.slo.data == "stale":
        found.append((LATE, DATA, state.slo.why[-1:]))
    return found


def _first_seen(state: State, kind: str) -> datetime | None:
    return state.last.last_finished if state.last and kind in {CAUGHT, FAILED} else None


def _is_over(incident: Incident, state: State) -> bool:
    """Tell whether what was seen then is not so any more, though nobody has looked since."""
    kind = incident.trouble.kind
    if kind == LATE:
        return True  # the state says it itself
    held = {hold.partition for hold in state.holds}
    if kind == CAUGHT and ("" in held or incident.trouble.subject in held):
        return True  # a person's decision, which is told as one
    return kind in {ESCAPED, DAMAGED} and incident.trouble.publication != state.publication


def _wrong(  # noqa: PLR0913, PLR0917 - what is known of it
    catalogue: Catalogue,
    name: str,
    kind: str,
    subject: str,
    why: tuple[str, ...],
    since: datetime | None,
    incident: Incident | None,
    *,
    undoable: bool = False,
) -> Wrong:
    title = _OF_PARTITIONS.get(kind, "").format(subject) if subject else ""
    title = title or _TITLES.get(kind, kind)
    if kind == LATE:
        title = "Its data is older than promised" if subject == DATA else "It is late"
    then = {BROKEN: "mesh check"}.get(kind)
    if kind == ESCAPED:
        then = f'mesh rollback {name} --reason "..."' if undoable else f"mesh run {name}"
    if kind == LATE and subject == RUNS:
        then = f"mesh run {name}"
    if then is None:
        then = f"mesh show {incident.incident}" if incident else f"mesh show {name} --history"
    return Wrong(
        name,
        kind,
        title,
        subject if kind != LATE else "",
        tuple(line for text in why for line in text.splitlines()),
        since,
        owner_of(catalogue.products.get(name)),
        downstream(catalogue, name),
        _READERS.get(kind, "read it"),
        then,
        incident.incident if incident else "",
    )


def _gravity(one: Wrong) -> tuple[int, float, str]:
    rank = ORDER.index(one.kind) if one.kind in ORDER else len(ORDER)
    rank += len(ORDER) if one.severity == "warning" else 0
    return rank, -len(one.readers), one.product
