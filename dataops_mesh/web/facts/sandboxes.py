"""Sandboxes: whose they are, until when, and what each shows that production does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.sandbox.compare import Compared, compared
from dataops_mesh.sandbox.known import Sandbox, all_sandboxes, sandbox_of
from dataops_mesh.store.line.known import find
from dataops_mesh.store.log import latest
from dataops_mesh.web.view import View

_LISTED, _PORTS, _PARTITIONS = 60, 100, 5


@dataclass(frozen=True, slots=True)
class SandboxLine:
    """One sandbox that is open.

    Args:
        base: what it reads that nobody built in it.
        lease: until when it is wanted.
        note: what its owner should know.
    """

    name: str
    person: str
    reason: str
    base: str
    opened: datetime
    lease: datetime
    candidates: int
    bytes: int
    note: str


@dataclass(frozen=True, slots=True)
class SandboxesPage:
    """Every sandbox that is open, by name."""

    sandboxes: tuple[SandboxLine, ...]
    sandboxes_in_all: int


@dataclass(frozen=True, slots=True)
class DiffersLine:
    """One port at which a sandbox shows something else than the line that it was opened from."""

    port: str
    state: str
    partitions: tuple[str, ...]
    partitions_in_all: int
    rows_here: int | None
    rows_there: int | None


@dataclass(frozen=True, slots=True)
class SandboxPage:
    """One sandbox, and what it would change.

    Args:
        diverged: production went on where it was built: it is refreshed before it is promoted.
    """

    line: SandboxLine
    differs: tuple[DiffersLine, ...]
    differs_in_all: int
    diverged: bool


def sandboxes_page(view: View) -> SandboxesPage:
    """Return the sandboxes that are open."""
    found = all_sandboxes(view.environment)
    return SandboxesPage(tuple(_line(one, view.now) for one in found[:_LISTED]), len(found))


def sandbox_page(view: View, name: str) -> SandboxPage:
    """Return a sandbox.

    Raises:
        UnknownNameError: there is none of that name.
    """
    store = find(view.environment.store.production, name)
    release = latest(store)
    found = compared(store, release)
    lines = tuple(_differs(one) for one in found[:_PORTS])
    return SandboxPage(
        _line(sandbox_of(store, release), view.now),
        lines,
        len(found),
        any(one.state.value == "diverged" for one in found),
    )


def _line(one: Sandbox, now: datetime) -> SandboxLine:
    note = "ends with the next collection" if one.is_over(now) else ""
    if one.ends_soon(now):
        note = "ends within a day"
    return SandboxLine(
        one.name, one.person, one.reason, one.base, one.opened, one.lease,
        one.built.candidates, one.built.bytes, note,
    )  # fmt: skip


def _differs(one: Compared) -> DiffersLine:
    return DiffersLine(
        str(one.address), one.state.value, one.partitions[:_PARTITIONS], len(one.partitions),
        one.here.rows if one.here else None, one.there.rows if one.there else None,
    )  # fmt: skip
