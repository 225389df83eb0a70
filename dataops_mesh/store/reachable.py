"""What a collection leaves: what releases show, products can be rolled back to, and readers use."""

from __future__ import annotations

from contextlib import suppress

from dataops_mesh.store.log import GoneError, as_it_was, is_open, latest_number, ports_of
from dataops_mesh.store.pins import Pin
from dataops_mesh.store.retention import Retention
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.mark import Aged, Marked, mark_kept, mark_shown

READ, PINNED = "consumers read it", "a reader or a run uses it"


def reachable(
    store: Store, low: int, aged: Aged, retention: Retention, pins: tuple[Pin, ...]
) -> Marked:
    """Return the blobs and candidates that stay, each candidate with why.

    Args:
        store: the store.
        low: up to which number releases are closed.
        aged: tells whether a release is older than the grace period.
        retention: how many publications of each product to keep.
        pins: what is used; they were read after the releases were closed.

    Raises:
        GoneError: a blob is missing: what else it named cannot be known, so nothing may go.
    """
    newest = latest_number(store)
    found = Marked()
    for pin in pins:
        found.refs |= dict.fromkeys(pin.refs, PINNED)
        _mark_pin(store, pin, found)
    shown = Marked()
    for number in range(newest, min(low, newest - 1), -1):
        why = READ if number == newest else f"release {number} is still whole"
        mark_shown(store.root, ports_of(as_it_was(store, number)).nodes, why, shown)
    nodes = ports_of(as_it_was(store, newest)).nodes
    mark_kept(store.root, nodes, retention.of, aged, (), shown)
    read = {ref: why for ref, why in shown.refs.items() if why == READ}
    return Marked(found.places | shown.places, {**shown.refs, **found.refs, **read})


def mark_past(store: Store, pin: Pin, found: Marked) -> None:
    """Mark what a reader of a closed release uses."""
    past = Marked()
    mark_kept(
        store.root, pin.nodes, lambda _product, _said: 0, lambda _: True, (pin.release,), past
    )
    found.places |= past.places
    found.refs |= dict.fromkeys(past.refs, PINNED)


def _mark_pin(store: Store, pin: Pin, found: Marked) -> None:
    if not pin.nodes:
        return
    if not pin.whole:
        mark_past(store, pin, found)
    elif is_open(store, pin.release):
        mark_shown(store.root, pin.nodes, PINNED, found)
    else:
        # Pinned while it was open, and then nothing of it is gone; or a moment too late, and then
        # its reader is about to find that it is closed.
        with suppress(GoneError):
            mark_shown(store.root, pin.nodes, PINNED, found)
