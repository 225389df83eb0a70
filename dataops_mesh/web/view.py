"""What the facts of a page are taken from: one moment of declarations, release and ledger."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.plan.plan import Plan
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.planned import plan_against
from dataops_mesh.run.record import open_ledger_of, record_missing
from dataops_mesh.store.log import Release, latest
from dataops_mesh.watch.dataops.weeks import Weeks
from dataops_mesh.watch.states import State, states
from dataops_mesh.watch.trouble import LATE
from dataops_mesh.web.catalogue import Catalogue, upstream
from dataops_mesh.web.facts.because import with_causes
from dataops_mesh.web.facts.wrong import Wrong, unreadable, wrong_now

_SECONDS, _PLAN_SECONDS = 5.0, 60.0


@dataclass(frozen=True, slots=True)
class _Whole:
    """How all products stood at a moment."""

    release: int
    catalogue: Catalogue
    at: float
    states: Mapping[str, State]
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class _Planned:
    """What publishing the declarations would have changed at a moment."""

    catalogue: Catalogue
    at: float
    plan: Plan


@dataclass(slots=True)
class Memory:
    """Remembers for a few seconds how all products stand: one page asks what the next one does.

    Args:
        seconds: for how long.
        whole: how they stood.
        weeks: what happened in the last weeks, which is caught up and never old.
        plan: what publishing would change.
    """

    seconds: float = _SECONDS
    whole: _Whole | None = None
    weeks: Weeks | None = None
    plan: _Planned | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One moment of a mesh. A page asks for the products that it shows, and reads no others."""

    environment: Environment
    catalogue: Catalogue
    ledger: Ledger
    release: Release
    now: datetime
    memory: Memory = field(default_factory=Memory)
    _own: list[_Whole] = field(default_factory=list)  # of this one moment

    def states(self, names: Collection[str] | None = None) -> Mapping[str, State]:
        """Return how products stand; all of them if none is named."""
        if names is None:
            return self._whole().states
        if known := self._known():
            return {name: known.states[name] for name in names}
        return states(self.catalogue.products, self.ledger, self.release, self.now, names)

    def wrong(self, names: Collection[str] | None = None) -> tuple[Wrong, ...]:
        """Return what is wrong with products, the gravest first; with all if none is named.

        What waits for it is told with all of them only: of some, nobody has looked at the rest.
        """
        if names is None:
            return self._whole().wrong
        known = self._known()
        found = known.wrong if known else self._wrong_near(names)
        return tuple(replace(one, waiting=()) for one in found if one.product in names)

    def plan(self) -> Plan:
        """Return what publishing the declarations would change; remembered for a minute."""
        known, now = self.memory.plan, time.monotonic()
        lasts = _PLAN_SECONDS if self.memory.seconds else 0.0
        if known is None or known.catalogue is not self.catalogue or now - known.at >= lasts:
            plan = plan_against(self.environment.settings, self.catalogue.mesh)
            known = _Planned(self.catalogue, now, plan)
            self.memory.plan = known
        return known.plan

    def _wrong_near(self, names: Collection[str]) -> tuple[Wrong, ...]:
        """Return what is wrong with products, and with what those read that are late."""
        found = wrong_now(self.catalogue, self.environment, self.ledger, self.states(names))
        late = {one.product for one in found if one.kind == LATE}
        above = {one for name in late for one in upstream(self.catalogue, name)} - {*names}
        if more := above & self.catalogue.products.keys():
            found += wrong_now(self.catalogue, self.environment, self.ledger, self.states(more))
        return with_causes(self.catalogue, found, self.now)

    def _known(self) -> _Whole | None:
        if self._own:
            return self._own[0]
        whole = self.memory.whole
        if whole is None or whole.catalogue is not self.catalogue:
            return None
        fresh = time.monotonic() - whole.at < self.memory.seconds
        return whole if fresh and whole.release == self.release.number else None

    def _whole(self) -> _Whole:
        if known := self._known():
            return known
        found = states(self.catalogue.products, self.ledger, self.release, self.now)
        seen = wrong_now(self.catalogue, self.environment, self.ledger, found) + unreadable(
            self.catalogue
        )
        wrong = with_causes(self.catalogue, seen, self.now)
        at = time.monotonic()
        whole = _Whole(self.release.number, self.catalogue, at, found, wrong)
        self.memory.whole = whole
        self._own.append(whole)
        return whole


@contextmanager
def view_of(
    environment: Environment, catalogue: Catalogue, memory: Memory | None = None
) -> Iterator[View]:
    """Look at a mesh as it is now."""
    with open_ledger_of(environment) as ledger:
        yield look(environment, catalogue, ledger, memory)


def look(
    environment: Environment, catalogue: Catalogue, ledger: Ledger, memory: Memory | None = None
) -> View:
    """Look at a mesh as it is now, by a ledger that is open."""
    record_missing(environment, ledger)
    release, now = latest(environment.store), datetime.now(UTC)
    return View(environment, catalogue, ledger, release, now, memory or Memory())
