"""What people decided: what is held, rolled back or withdrawn, and how that is lifted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.store.hold import Hold, lift_command
from dataops_mesh.store.log import Release
from dataops_mesh.watch.states import State


@dataclass(frozen=True, slots=True)
class Held:
    """What a person decided: it is not published, or was taken away."""

    product: str
    partition: str
    how: str
    person: str
    since: datetime
    reason: str
    release: int
    lift: str


def held_now(release: Release) -> tuple[Held, ...]:
    """Return what people hold or withdrew, the newest first."""
    every = {
        (hold.product, hold.partition, hold.release): hold
        for holds in (*release.holds.values(), *release.withdrawn.values())
        for hold in holds
    }
    return tuple(_held(hold) for hold in sorted(every.values(), key=lambda h: -h.release))


def holds_of(state: State) -> tuple[Held, ...]:
    """Return the holds on a product itself."""
    return tuple(_held(hold) for hold in state.holds)


def _held(hold: Hold) -> Held:
    how = {"hold": "held", "rollback": "rolled back", "withdrawal": "withdrawn"}[hold.kind]
    return Held(
        hold.product, hold.partition, how, hold.person, hold.at, hold.reason, hold.release,
        lift_command(hold),
    )  # fmt: skip
