"""What a sandbox shows that production does not, and the other way round."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dataops_mesh.spec.model import Address
from dataops_mesh.store.line.differ import Difference, difference, differences
from dataops_mesh.store.line.refresh import base_of
from dataops_mesh.store.log import Release, latest, ports_of
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.entry import Light
from dataops_mesh.store.tree.ports import Ports


class State(StrEnum):
    """How an address stands in a sandbox, beside the line that it was opened from."""

    BUILT = "built here"
    GONE = "withdrawn here"
    BEHIND = "changed there since"
    WITHDRAWN = "withdrawn there since"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Compared:
    """One address at which a sandbox and its base's line show something else.

    Args:
        partitions: those that differ; empty for a port that is published whole.
        here: what the sandbox shows.
        there: what the other line shows now.
    """

    address: Address
    state: State
    partitions: tuple[str, ...]
    here: Light | None
    there: Light | None


def compared(store: Store, release: Release | None = None) -> tuple[Compared, ...]:
    """Return where a sandbox differs from the line that it was opened from, by address.

    Args:
        store: the store, on the line of the sandbox.
        release: of the sandbox; its newest if absent.
    """
    current = release or latest(store)
    base = base_of(current)
    before, mine = Ports(store.root, base.nodes), ports_of(current)
    theirs = ports_of(latest(store.on(base.line)))
    found = {one.address: one for one in (*differences(before, mine), *differences(before, theirs))}
    return tuple(
        _compared(address, before, mine, theirs)
        for address in sorted(found)
        if difference(address, mine, theirs) is not None
    )


def _compared(address: Address, before: Ports, mine: Ports, theirs: Ports) -> Compared:
    built = difference(address, before, mine)
    moved = difference(address, before, theirs)
    between = difference(address, mine, theirs)
    keys = tuple(between.parts or ()) if between else ()
    here, there = (between.before, between.after) if between else (None, None)
    if built and moved and _same_pieces(built, moved):
        return Compared(address, State.DIVERGED, keys, here, there)
    if built is not None:
        state = State.BUILT if here is not None else State.GONE
    else:
        state = State.BEHIND if there is not None else State.WITHDRAWN
    return Compared(address, state, keys, here, there)


def _same_pieces(built: Difference, moved: Difference) -> bool:
    """Tell whether both are about the same partitions, or about all of the port."""
    if built.parts is None or moved.parts is None:
        return True
    return not built.parts.keys().isdisjoint(moved.parts)
