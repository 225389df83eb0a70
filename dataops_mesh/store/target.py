"""Which publication a rollback returns to, and what a product read there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.spec.model import Address
from dataops_mesh.store.history import history
from dataops_mesh.store.log import PUBLICATION, Entry, Release, as_it_was, latest
from dataops_mesh.store.removing.removed import removed_since
from dataops_mesh.store.removing.withdrawal import withdrawn_words
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.past import PastPorts


def wanted(store: Store, target: Release, address: Address, partition: str) -> Entry:
    """Return what an address, or one partition of it, resolved to in a release."""
    entry = target.ports.get(address)
    some = target.ports.some(address) if isinstance(target.ports, PastPorts) else entry
    part = some.part(partition) if some and partition else None
    gone = removed_since(target, address, partition or None) if part is None else None
    if gone is not None:
        then = "choose another publication"
        if entry is not None and not partition:
            then += ", or one partition: --partition"
        piece = f"partition {gone.partition} of " if gone.partition else ""
        what = f"{piece}{address} in release {target.number} {withdrawn_words(gone)}"
        raise UnknownNameError(Problem(what, choices=choices(store, address), next=then))
    if entry is None and some is not None and not partition:
        raise UnknownNameError(_of_some(target, address, some))
    if entry is None and part is None:
        name = f"partition {partition} of {address}" if partition else str(address)
        what = "was not published in" if target.whole else "is not kept of"
        then = "choose a publication that has all ports of the product"
        if not target.whole:
            then += "; its setting keepPublications says how many are kept"
        raise UnknownNameError(
            Problem(
                f"{name} {what} release {target.number}",
                choices=choices(store, address, partition),
                next=then,
            )
        )
    if part is not None and some is not None:
        return replace(some, candidate=part.candidate, parts=(part,))
    if entry is None or partition:
        raise UnknownNameError(
            Problem(
                f"partition {partition} of {address} was not published in release {target.number}",
                choices=choices(store, address, partition),
                next="choose a publication that has it",
            )
        )
    return entry


def _of_some(target: Release, address: Address, some: Entry) -> Problem:
    keys = [part.key for part in some.parts]
    return Problem(
        f"of {address} in release {target.number} retention has kept "
        f"partition {', '.join(keys)} only",
        next=f"mesh rollback {some.product} --to {target.number} --partition {keys[0]} "
        "--reason ...",
    )


def require_there(store: Store, number: int, address: Address) -> None:
    """Make sure that there is a release, or say which publications of the address are kept."""
    try:
        as_it_was(store, number)
    except UnknownNameError:
        raise UnknownNameError(
            Problem(
                f"release {number} does not exist",
                choices=choices(store, address),
                next=f"choose a publication of {address} that is kept; the setting "
                "keepPublications of the product says how many are",
            )
        ) from None


def earlier(store: Store, address: Address, partition: str) -> Iterator[int]:
    """Yield the publications before the one that first showed the current candidate, newest first.

    Raises:
        UnknownNameError: after the last one, or at once: there is none.
    """
    found = history(store, address, partition)
    shown = ""
    for one in found:
        shown = shown or one.candidate
        if one.candidate == shown and one.kind == PUBLICATION:
            break
    # Of a partition, those of another candidate.
    yield from (one.number for one in found if not partition or one.candidate != shown)
    if partition and not shown:
        now = latest(store).ports.get(address)
        keys = tuple(part.key for part in now.parts) if now else ()
        what = f"partition {partition} of {address} is not published{did_you_mean(partition, keys)}"
        raise UnknownNameError(Problem(what, choices=keys, next="mesh status"))
    piece = f"partition {partition} of " if partition else ""
    raise UnknownNameError(
        Problem(
            f"{piece}{address} has no earlier publication in this store",
            choices=choices(store, address),
            next="mend the product and run it again",
        )
    )


def choices(store: Store, address: Address, partition: str = "") -> tuple[str, ...]:
    """Return the publications of an address that are kept, oldest first."""
    found = dict.fromkeys(one.number for one in history(store, address, partition))
    return tuple(str(number) for number in reversed(found))
