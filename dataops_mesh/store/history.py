"""What was published at an address, newest first, over releases in the log and retained ones."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import (
    Release,
    latest_number,
    path_of,
    read_release,
    retained_numbers,
)
from dataops_mesh.store.store import Store


def history(store: Store, address: Address | None = None) -> Iterator[Release]:
    """Iterate over the releases that retention has kept, newest first.

    Args:
        store: the store.
        address: only the releases that switched it to something; costs one read for each.
    """
    number = latest_number(store)
    while number > 0 and path_of(store, number).exists():
        release = read_release(store, number)
        if address is None or shows(release, address):
            yield release
            number -= 1
        elif address in release.changed:  # withdrawn
            number -= 1
        else:
            # What was erased twice names the second time, which switched nothing.
            number = min(_switched(release, address), number - 1)
    for kept in sorted(retained_numbers(store), reverse=True):
        if kept <= number:
            release = read_release(store, kept)
            if address is None or shows(release, address):
                yield release


def shows(release: Release, address: Address) -> bool:
    """Tell whether the release switched the address to something that can be read."""
    return address in release.changed and address in release.ports


def _switched(release: Release, address: Address) -> int:
    """Return the number of the release that switched the address last; 0 if none did."""
    entry = release.ports.get(address)
    gone = [hold.release for hold in release.withdrawn.get(address, ())]
    return entry.publication if entry else max(gone, default=0)
