"""What there is to know of a sandbox: whose it is, from when, until when, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.ledger import open_ledger
from dataops_mesh.ledger.built import Built, built
from dataops_mesh.run.environment import Environment
from dataops_mesh.store.line.known import last_read, living, opened
from dataops_mesh.store.line.opening import has_ended
from dataops_mesh.store.line.refresh import base_of
from dataops_mesh.store.log import Release
from dataops_mesh.store.store import Store, name_of

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that is not closed.

    Args:
        person: who opened it.
        reason: why.
        base: the line and number that it reads what nobody built in it from.
        lease: until when it is wanted.
        built: what was built in it.
        read: when somebody read there last.
    """

    name: str
    line: str
    person: str
    reason: str
    opened: datetime
    release: int
    base: str
    lease: datetime
    built: Built
    read: datetime | None = None

    def is_over(self, at: datetime) -> bool:
        """Tell whether the next collection takes it down."""
        return self.lease <= at

    def ends_soon(self, at: datetime) -> bool:
        """Tell whether its owner should be warned."""
        return not self.is_over(at) and (self.lease - at).total_seconds() < _DAY


def all_sandboxes(environment: Environment) -> tuple[Sandbox, ...]:
    """Return every sandbox that is not closed, by name."""
    found = living(environment.store.production)
    return tuple(_sandbox(store, release) for store, release in found)


def sandbox_of(store: Store, release: Release) -> Sandbox:
    """Return the sandbox on whose line the store is."""
    return _sandbox(store, release)


def told(store: Store, release: Release, at: datetime) -> str:
    """Return the line that a command begins with, so that nobody takes a sandbox for production."""
    first = opened(store)
    base = shown_base(release)
    until = f"until {release.lease:%Y-%m-%d %H:%M} UTC" if release.lease else "without a lease"
    if has_ended(release, at):
        until = f"its lease is over: mesh sandbox renew {store.sandbox}"
    return f"sandbox {store.sandbox}: {first.person}'s, on {base}, {until}"


def base_name(line: str, number: int) -> str:
    """Return how people call a release of a line.

    >>> base_name("production", 57), base_name("sandboxes/late~1f0c", 58)
    ('production 57', 'late 58')
    """
    return f"{name_of(line) or line} {number}"


def shown_base(release: Release) -> str:
    """Return from what a sandbox reads what nobody built in it."""
    base = base_of(release)
    part = f"{base.subset} of " if base.subset else ""
    built = f" with the parameters {base.parameters}" if base.parameters else ""
    return f"{part}{base_name(base.line, base.number)}{built}"


def _sandbox(store: Store, release: Release) -> Sandbox:
    first = opened(store)
    return Sandbox(
        store.sandbox,
        store.line,
        first.person,
        first.reason,
        first.at,
        release.number,
        shown_base(release),
        release.lease or datetime.max.replace(tzinfo=first.at.tzinfo),
        _built(store),
        last_read(store),
    )


def _built(store: Store) -> Built:
    if not store.ledger_file.is_file():
        return Built()
    ledger = open_ledger(f"sqlite:///{store.ledger_file}")
    try:
        return built(ledger)
    finally:
        ledger.close()
