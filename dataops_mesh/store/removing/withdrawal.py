"""Withdrawing: a release that takes addresses, or one partition of them, away from consumers.

What existed stays in the history. What was withdrawn is held: nothing publishes it again before a
person lifts that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dataops_mesh.errors import ConflictError, NotPublishedError, Problem
from dataops_mesh.spec.model import Address
from dataops_mesh.store.hold import WITHDRAWAL, Hold, held_words, lift_command, with_hold
from dataops_mesh.store.holding import Asked, follow, following
from dataops_mesh.store.log import Entry, Release, grown, ports_of
from dataops_mesh.store.owners import require_owner
from dataops_mesh.store.store import PRODUCTION, Store
from dataops_mesh.store.tree.growth import withdrawn as withdrawn_ports


def withdraw(  # noqa: PLR0913, PLR0917 - each a fact of the record
    store: Store,
    product: str,
    addresses: Iterable[Address],
    asked: Asked,
    partition: str = "",
    erase: str = "",
) -> Release:
    """Take addresses, or one partition of them, away from consumers.

    Args:
        store: the store.
        product: the qualified name of the product.
        addresses: its ports, or one of them.
        asked: who and why.
        partition: the only partition that is taken away.
        erase: `product` or `port`: whose bytes will go (removal.py). What is not published, or
            was withdrawn before, is then held all the same.

    Raises:
        NotPublishedError: none of it is published, and nothing is erased.
        OwnershipError: the domain belongs to another repository.
    """
    wanted = tuple(sorted(addresses))
    if store.line == PRODUCTION:
        require_owner(store, (address.domain for address in wanted), asked.publisher)

    def withdrawn(current: Release) -> Release:
        ports = tuple(a for a in wanted if has(current, a, partition))
        about = wanted if erase else ports
        if not erase:
            require_some(current, product, wanted, partition)
        release = following(current, WITHDRAWAL, asked)
        said = Hold(
            product,
            asked.person,
            asked.reason,
            release.number,
            release.at,
            WITHDRAWAL,
            partition,
            erased=erase,
        )
        after = withdrawn_ports(ports_of(current), ports, partition, release.number)
        return replace(
            grown(release, after),
            holds=with_hold(current.holds, about, said),
            withdrawn=with_hold(current.withdrawn, about, said),
            decided=about,
            about=product,
            partition=partition,
        )

    return follow(store, withdrawn)


def require_not_withdrawn(current: Release, address: Address, entry: Entry, since: int) -> None:
    """Refuse what was built before it was withdrawn, also once that was lifted.

    Raises:
        ConflictError: it was withdrawn after its run began.
    """
    keys = {"", *(part.key for part in entry.parts)}
    for gone in current.withdrawn.get(address, ()):
        if gone.release > since and gone.partition in keys:
            what = f"{address} {withdrawn_words(gone)}, while this candidate was built"
            raise ConflictError(Problem(what, next="run the product again"))


def withdrawal_of(release: Release, address: Address) -> Hold | None:
    """Return who took an address away, if somebody did and nothing was published there since."""
    found = release.withdrawn.get(address)  # of few; what is read there costs a look at a node
    return None if not found or address in release.ports else found[0]


def withdrawn_problem(address: Address, hold: Hold) -> Problem:
    """Say to whoever reads an address that it is gone, by whose word and why."""
    return Problem(f"{address} {withdrawn_words(hold)}", next=f"ask the owner of {hold.product}")


def withdrawn_words(hold: Hold) -> str:
    """Return what somebody is told who asks for what was withdrawn."""
    return f"was {'erased' if hold.erased else 'withdrawn'} {held_words(hold)}"


def unpublished_problem(release: Release, address: Address) -> Problem:
    """Say why there is nothing at an address that could be rolled back."""
    hold = withdrawal_of(release, address)
    if hold is None:
        return Problem(f"{address} has no publication", next="publish it before rolling it back")
    then = f"{lift_command(hold)}, then mesh run {hold.product}"
    return Problem(f"{address} {withdrawn_words(hold)}: there is nothing to roll back", next=then)


def require_some(
    current: Release, product: str, wanted: tuple[Address, ...], partition: str
) -> None:
    """Make sure that something published has the name that a person wants to withdraw.

    Raises:
        NotPublishedError: nothing has.
    """
    if not any(has(current, address, partition) for address in wanted):
        raise NotPublishedError(_nothing(current, product, wanted, partition))


def has(release: Release, address: Address, partition: str) -> bool:
    """Tell whether consumers read the address, or one partition of it."""
    entry = release.ports.get(address)
    return entry is not None and (not partition or entry.part(partition) is not None)


def _nothing(
    current: Release, product: str, wanted: tuple[Address, ...], partition: str
) -> Problem:
    gone = next((hold for a in wanted if (hold := withdrawal_of(current, a))), None)
    piece = f"partition {partition} of " if partition else ""
    what = f"{piece}{product} is not published"
    keys = {part.key for a in wanted if a in current.ports for part in current.ports[a].parts}
    return Problem(
        f"{what}: it {withdrawn_words(gone)}" if gone else what,
        choices=tuple(sorted(keys)),
        next="mesh status",
    )
