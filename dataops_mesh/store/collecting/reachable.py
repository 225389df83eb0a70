"""What a collection leaves: what releases show, products can be rolled back to, and readers use."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from dataops_mesh.store import files
from dataops_mesh.store.line.known import opened
from dataops_mesh.store.log import (
    GoneError,
    as_it_was,
    is_open,
    latest_number,
    path_of,
    ports_of,
)
from dataops_mesh.store.pins import Pin
from dataops_mesh.store.retention import Retention
from dataops_mesh.store.store import PRODUCTION, Store
from dataops_mesh.store.tree.mark import Aged, Marked, mark_kept, mark_shown

READ, PINNED = "consumers read it", "a reader or a run uses it"


@dataclass(frozen=True, slots=True)
class Line:
    """The releases of one line that a collection looks at.

    Args:
        store: the store, on this line.
        low: up to which number releases are closed.
        aged: tells whether a release is older than the grace period.
    """

    store: Store
    low: int
    aged: Aged


def reachable(lines: Sequence[Line], retention: Retention, pins: tuple[Pin, ...]) -> Marked:
    """Return the blobs and candidates that stay, each candidate with why.

    Args:
        lines: production first, then every sandbox that is not closed.
        retention: how many publications of each product to keep.
        pins: what is used; they were read after the releases were closed.

    Raises:
        GoneError: a blob is missing: what else it named cannot be known, so nothing may go.
    """
    store, found = lines[0].store, Marked()
    for pin in pins:
        found.refs |= dict.fromkeys(pin.refs, PINNED)
        _mark_pin(store, pin, found)
    shown = Marked()
    for line in lines:
        _mark_line(line, retention, shown)
    read = {ref: why for ref, why in shown.refs.items() if why == READ}
    return Marked(found.places | shown.places, {**shown.refs, **found.refs, **read})


def _mark_line(line: Line, retention: Retention, shown: Marked) -> None:
    """Mark what the open releases of a line show, its base, and what it can roll back to."""
    store, root = line.store, line.store.root
    newest = as_it_was(store, latest_number(store))
    for number in range(newest.number, min(line.low, newest.number - 1), -1):
        why = READ if number == newest.number else f"release {number} is still whole"
        if store.line != PRODUCTION:
            why = f"the sandbox {store.sandbox} reads it"
        mark_shown(root, ports_of(as_it_was(store, number)).nodes, why, shown)
    own = 0
    if newest.base is not None:
        why = f"the sandbox {store.sandbox} was opened from it"
        mark_shown(root, newest.base.nodes, why, shown)
        own = opened(store).number
    mark_kept(root, ports_of(newest).nodes, retention.of, line.aged, (), shown, after=own)


def mark_past(store: Store, pin: Pin, found: Marked) -> None:
    """Mark what a reader of a closed release uses."""
    past = Marked()
    mark_kept(
        store.root, pin.nodes, lambda _product, _said: 0, lambda _: True, (pin.release,), past
    )
    found.places |= past.places
    found.refs |= dict.fromkeys(past.refs, PINNED)


def _is_open(line: Store, number: int) -> bool:
    return files.stat(path_of(line, number)) is not None and is_open(line, number)


def _mark_pin(store: Store, pin: Pin, found: Marked) -> None:
    if not pin.nodes:
        return
    if not pin.whole:
        mark_past(store, pin, found)
    elif _is_open(store.on(pin.line), pin.release):
        mark_shown(store.root, pin.nodes, PINNED, found)
    else:
        # Pinned while it was open, and then nothing of it is gone; or a moment too late, and then
        # its reader is about to find that it is closed.
        with suppress(GoneError):
            mark_shown(store.root, pin.nodes, PINNED, found)
