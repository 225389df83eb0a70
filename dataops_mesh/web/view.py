"""What the facts of a page are taken from: one moment of declarations, release and ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.store.log import Release, latest
from dataops_mesh.watch.states import State, states
from dataops_mesh.web.catalogue import Catalogue
from dataops_mesh.web.facts.wrong import Wrong, wrong_now


@dataclass(frozen=True, slots=True)
class View:
    """One moment of a mesh.

    Args:
        states: how every product stands.
        wrong: what is wrong now, the gravest first.
    """

    environment: Environment
    catalogue: Catalogue
    ledger: Ledger
    release: Release
    now: datetime
    states: Mapping[str, State]
    wrong: tuple[Wrong, ...]


@contextmanager
def view_of(environment: Environment, catalogue: Catalogue) -> Iterator[View]:
    """Look at a mesh as it is now."""
    now, release = datetime.now(UTC), latest(environment.store)
    with open_record(environment) as ledger:
        found = states(catalogue.products.values(), ledger, release, now)
        wrong = wrong_now(catalogue, ledger, found)
        yield View(environment, catalogue, ledger, release, now, found, wrong)
