"""Which release a rollback returns to, and what a product read there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.spec.model import Address
from dataops_mesh.store.history import history
from dataops_mesh.store.log import (
    PUBLICATION,
    Entry,
    Release,
    latest_number,
    read_release,
)
from dataops_mesh.store.removed import removed_since
from dataops_mesh.store.store import Store
from dataops_mesh.store.withdrawal import withdrawn_words


def wanted(store: Store, target: Release, address: Address, partition: str) -> Entry:
    """Return what an address, or one partition of it, resolved to in a release."""
    entry = target.ports.get(address)
    part = entry.part(partition) if entry and partition else None
    gone = removed_since(target, address, partition or None) if part is None else None
    if gone is not None:
        then = "choose another publication"
        if entry is not None and not partition:
            then += ", or one partition: --partition"
        piece = f"partition {gone.partition} of " if gone.partition else ""
        what = f"{piece}{address} in release {target.number} {withdrawn_words(gone)}"
        raise UnknownNameError(Problem(what, choices=choices(store, address), next=then))
    if entry is not None and entry.partial and not partition:
        keys = [part.key for part in entry.parts]
        raise UnknownNameError(
            Problem(
                f"of {address} in release {target.number} retention has kept "
                f"partition {', '.join(keys)} only",
                next=f"mesh rollback {entry.product} --to {target.number} --partition {keys[0]} "
                "--reason ...",
            )
        )
    if entry is None and not target.whole:
        kept = sorted({entry.product for entry in target.ports.values()})
        raise UnknownNameError(
            Problem(
                f"of release {target.number} retention has kept {', '.join(kept)} only",
                choices=choices(store, address),
                next=f"choose a publication of {address}",
            )
        )
    if entry is None or (partition and part is None):
        name = f"partition {partition} of {address}" if partition else str(address)
        raise UnknownNameError(
            Problem(
                f"{name} was not published in release {target.number}",
                choices=choices(store, address),
                next="choose a publication that has all ports of the product",
            )
        )
    if part is None:
        return entry
    return replace(entry, candidate=part.candidate, parts=(part,), partial=False)


def require_kept(store: Store, number: int, address: Address) -> None:
    """Say of a release that is gone why, and which publications of the address are left."""
    try:
        read_release(store, number)
    except UnknownNameError:
        why = "was collected" if 0 < number < latest_number(store) else "does not exist"
        raise UnknownNameError(
            Problem(
                f"release {number} {why}",
                choices=choices(store, address),
                next=f"choose a publication of {address} that is kept; the setting "
                "keepPublications of the product says how many are",
            )
        ) from None


def previous(store: Store, address: Address, partition: str) -> int:
    """Return the publication before the one that first showed the current candidate."""
    releases = history(store, address)
    shown = ""
    earlier: Release | None = None
    for release in releases:
        entry = release.ports[address]
        built = entry.part(partition) if partition else entry
        if built is None:  # of an older release, only what it switched may be kept
            continue
        shown = shown or built.candidate
        if built.candidate == shown and built.kind == PUBLICATION:
            earlier = _before(releases, address, partition, shown)
            break
    if partition and not shown:
        now = read_release(store, latest_number(store)).ports.get(address)
        keys = tuple(part.key for part in now.parts) if now else ()
        what = f"partition {partition} of {address} is not published{did_you_mean(partition, keys)}"
        raise UnknownNameError(Problem(what, choices=keys, next="mesh status"))
    if earlier is None:
        piece = f"partition {partition} of " if partition else ""
        raise UnknownNameError(
            Problem(
                f"{piece}{address} has no earlier publication in this store",
                choices=choices(store, address),
                next="mend the product and run it again",
            )
        )
    return earlier.number


def _before(
    releases: Iterable[Release], address: Address, partition: str, shown: str
) -> Release | None:
    """Return the next older release; for a partition, the next that shows another candidate."""
    if not partition:
        return next(iter(releases), None)
    for release in releases:
        part = release.ports[address].part(partition)
        if part is not None and part.candidate != shown:
            return release
    return None


def choices(store: Store, address: Address) -> tuple[str, ...]:
    """Return the publications of an address that are kept, oldest first."""
    found = [release.number for release in history(store, address)]
    return tuple(str(number) for number in reversed(found))
