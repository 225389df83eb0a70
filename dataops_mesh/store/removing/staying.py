"""What stays away when a rollback goes back: partitions that were withdrawn, or have ended.

A rollback is a person's word about what is published now. Of what was taken away another one was
said, and that stands until somebody lifts it and publishes the partition again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from dataops_mesh.errors import ConflictError, NotPublishedError, Problem, StoreError
from dataops_mesh.spec.cut import same_cut
from dataops_mesh.spec.model import Address
from dataops_mesh.store.hold import Hold, lift_command
from dataops_mesh.store.log import Entry, Release
from dataops_mesh.store.removing.withdrawal import withdrawn_words
from dataops_mesh.store.switch import without_parts

_FEW = 12  # partitions that are named one by one
Ended = Callable[[Entry], Collection[str]]


def nothing_ended(_entry: Entry) -> Collection[str]:
    """Say that no partition has ended, where nobody knows a declaration."""
    return ()


@dataclass(frozen=True, slots=True)
class Back:
    """What a rollback may publish again.

    Args:
        changes: the ports as they were, without what stays away; empty if nothing is left.
        away: the partitions that stay away.
        words: the same, with how each is published again, for people.
    """

    changes: Mapping[Address, Entry]
    away: tuple[str, ...] = ()
    words: str = ""


def without_withdrawn(
    current: Release, then: Mapping[Address, Entry], ended: Ended = nothing_ended
) -> Back:
    """Return what a rollback may publish again of the ports of a product.

    Args:
        current: the newest release.
        then: what they were.
        ended: tells the partitions of a port that left the declaration; what is still read of
            them goes back like any other.

    Raises:
        StoreError: it was cut otherwise, so nobody can say where the rows of a withdrawn
            partition are; or another port of the product still shows one.
    """
    keys: set[str] = set()
    for address, entry in then.items():
        for gone in brought_back(current, address, entry):
            if _part(entry, gone.partition) is None:
                raise StoreError(_cut_otherwise(address, gone))
            keys.add(gone.partition)
        now = current.ports.get(address)
        keys |= {key for key in ended(entry) if _part(now, key) is None}
    if not keys:
        return Back(then)
    for address in then:
        for key in sorted(keys):
            if _part(current.ports.get(address), key) is not None:
                raise StoreError(_alone(address, key))
    left = {address: without_parts(entry, keys) for address, entry in then.items()}
    changes = {address: entry for address, entry in left.items() if entry is not None}
    away = tuple(sorted(keys))
    return Back(changes if len(changes) == len(then) else {}, away, _words(current, then, away))


def require_stays_away(current: Release, changes: Mapping[Address, Entry]) -> None:
    """Refuse a rollback that would bring back what is withdrawn: the last line, in the commit.

    Raises:
        ConflictError: it says what, who withdrew it and how it is published again.
    """
    for address, entry in changes.items():
        for gone in brought_back(current, address, entry):
            raise ConflictError(_withdrawn(address, gone))


def require_not_away(current: Release, addresses: Iterable[Address], partition: str) -> None:
    """Refuse to roll back a partition that is withdrawn: there is nothing that could go back.

    Of one that was erased, whoever asks for a publication is told by `wanted`.

    Raises:
        NotPublishedError: it says who withdrew it and how it is published again.
    """
    for address in addresses:
        for gone in current.withdrawn.get(address, ()):
            if partition and gone.partition == partition and not gone.erased:
                raise NotPublishedError(_withdrawn(address, gone))


def nothing_left(back: Back) -> NotPublishedError:
    """Return what is said where all that would go back stays away."""
    return NotPublishedError(
        Problem(f"there is nothing to roll back to: {back.words}", next="mesh hold list")
    )


def brought_back(current: Release, address: Address, entry: Entry) -> tuple[Hold, ...]:
    """Return the withdrawals that an address would undo by showing an entry again.

    Pieces that are cut otherwise, or not at all, may have the rows of any withdrawn one.
    """
    gone = current.withdrawn.get(address, ())
    if not gone:
        return ()
    now = current.ports.get(address)
    if now is None or not entry.parts or not _cut_alike(now, entry):
        return gone
    return tuple(one for one in gone if not one.partition or _part(entry, one.partition))


def _cut_alike(now: Entry, entry: Entry) -> bool:
    if not now.parts:
        return False
    return not now.cut or not entry.cut or same_cut(now.cut, entry.cut)


def _part(entry: Entry | None, key: str) -> object:
    return entry.part(key) if entry is not None and key else None


def _withdrawn(address: Address, gone: Hold) -> Problem:
    piece = f"partition {gone.partition} of " if gone.partition else ""
    what = f"{piece}{address} {withdrawn_words(gone)}: a rollback does not bring it back"
    return Problem(what, next=_again(gone))


def _again(gone: Hold) -> str:
    piece = f" --partition {gone.partition}" if gone.partition else ""
    return f"{lift_command(gone)}, then mesh run {gone.product}{piece}"


def _cut_otherwise(address: Address, gone: Hold) -> Problem:
    piece = f"partition {gone.partition} of " if gone.partition else ""
    return Problem(
        f"{piece}{address} {withdrawn_words(gone)}, and that publication is cut otherwise: it may "
        "have its rows",
        next=f"choose a publication that is cut as now, or {_again(gone)}",
    )


def _alone(address: Address, key: str) -> Problem:
    return Problem(
        f"partition {key} of {address} is read and stays away at another port of the product: "
        "they go back together",
        next=f"roll back other partitions: --partition; or mesh withdraw {address} "
        f"--partition {key}",
    )


def _words(current: Release, then: Mapping[Address, Entry], away: tuple[str, ...]) -> str:
    """Return what stays away, why, and how it is published again."""
    address, entry = next(iter(then.items()))
    said = {g.partition: g for a in then for g in current.withdrawn.get(a, ())}
    if len(away) > 1:
        few = len(away) <= _FEW
        named = ", ".join(away) if few else f"{away[0]} to {away[-1]}, {len(away)} of them"
        return (
            f"partitions of {address} were withdrawn or have ended, and stay away: {named}; to "
            f'publish one again: mesh hold lift {entry.product} --partition KEY --reason "...", '
            f"then mesh run {entry.product} --partition KEY"
        )
    piece = f"partition {away[0]} of {address}"
    if (gone := said.get(away[0])) is None:
        return f"{piece} has left the declaration, and stays away"
    return f"{piece} {withdrawn_words(gone)}, and stays away; to publish it again: {_again(gone)}"
