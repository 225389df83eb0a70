"""What a sandbox can give to the line that it was opened from: a pure plan of three states.

    base    what the sandbox was opened from, or refreshed to
    mine    what it shows
    theirs  what the line shows now

Where the line still shows what the base showed, mine follows; where both have changed, neither is
right, and somebody has to build again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from dataops_mesh.errors import ConflictError, Problem
from dataops_mesh.spec.model import Address
from dataops_mesh.store.line.differ import Difference, difference, differences
from dataops_mesh.store.line.numbers import numbered
from dataops_mesh.store.log import Entry, Release, entries_of, joined
from dataops_mesh.store.manifest import Manifest, read_manifest
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.ports import Ports

Piece = tuple[Address, str]


class MovedError(ConflictError):
    """A promotion was planned for a release that is not the newest any more."""


@dataclass(frozen=True, slots=True)
class Promoting:
    """That candidates come from another line, and what must hold before they are published.

    Args:
        origin: the line and the release that they come from.
        seen: the release that the promotion was planned for.
        guard: raises unless they are current, given what consumers would read.
    """

    origin: str
    seen: int
    guard: Callable[[Release], None]


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a promotion would switch, seen from one release of the line.

    Args:
        refs: the candidate of each port, or of each partition of one.
        stale: what has changed on the line too: it has to be built again.
        gone: what the sandbox has taken away; that is no publication.
        current: what the line shows already.
    """

    refs: Mapping[Piece, str] = field(default_factory=dict)
    stale: tuple[Piece, ...] = ()
    gone: tuple[Piece, ...] = ()
    current: tuple[Piece, ...] = ()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Return the ports that it switches."""
        return tuple(sorted({address for address, _ in self.refs}))


def planned(base: Ports, mine: Ports, theirs: Ports, serial: Collection[Address]) -> Promotion:
    """Return what a sandbox can give to a line.

    Args:
        base: what the sandbox was opened from.
        mine: what it shows.
        theirs: what the line shows now.
        serial: the ports with a check that reads all their partitions: no other one may change.
    """
    refs: dict[Piece, str] = {}
    stale: list[Piece] = []
    gone: list[Piece] = []
    current: list[Piece] = []
    for built in differences(base, mine):
        moved = difference(built.address, base, theirs)
        for piece, ref in _pieces(built, mine).items():
            if ref == _ref(theirs, piece):
                current.append(piece)
            elif not ref:
                gone.append(piece)
            elif moved is not None and (
                built.address in serial or _touches(moved, built, piece[1])
            ):
                stale.append(piece)
            else:
                refs[piece] = ref
    return Promotion(refs, *(tuple(found) for found in (stale, gone, current)))


def only(plan: Promotion, addresses: Collection[Address]) -> Promotion:
    """Return the part of a plan that is about some ports."""
    return Promotion(
        {piece: ref for piece, ref in plan.refs.items() if piece[0] in addresses},
        *(
            tuple(piece for piece in pieces if piece[0] in addresses)
            for pieces in (plan.stale, plan.gone, plan.current)
        ),
    )


def manifests_of(store: Store, plan: Promotion) -> dict[str, Manifest]:
    """Return the evidence of every candidate of a plan."""
    return {ref: read_manifest(store, ref) for ref in sorted(set(plan.refs.values()))}


def changes_of(plan: Promotion, manifests: Mapping[str, Manifest]) -> dict[Address, Entry]:
    """Return what a plan switches, as its evidence says it; nothing is copied from the sandbox."""
    found: dict[Address, list[Entry]] = {}
    for (address, _), ref in sorted(plan.refs.items()):
        entry = entries_of(manifests[ref]).get(address)
        if entry is not None:
            found.setdefault(address, []).append(entry)
    return {
        address: joined(entries) if entries[0].parts else entries[0]
        for address, entries in found.items()
    }


def numbered_for(
    changes: Mapping[Address, Entry], before: Release, number: int
) -> dict[Address, Entry]:
    """Return entries with the numbers by which a line knows what they were read from.

    What they read is what the line shows, or gets with them: the guard makes sure of it.
    """

    def number_of(name: str, _number: int) -> int:
        address = Address.parse(name)
        if address in changes:
            return number
        found = before.ports.get(address)
        return found.publication if found else 0

    return numbered(changes, number_of)


def require_fresh(plan: Promotion, sandbox: str) -> None:
    """Refuse a plan of which something is stale: all of it is promoted, or nothing.

    Raises:
        ConflictError: with what has to be built again.
    """
    then = f"mesh sandbox refresh {sandbox}, then mesh sandbox run {sandbox} --changed"
    problems = [
        Problem(f"{_named(piece)} was published there after {sandbox} was opened", next=then)
        for piece in plan.stale
    ]
    problems += [
        Problem(f"{_named(piece)} was taken away in {sandbox}", next="mesh withdraw, in production")
        for piece in plan.gone
    ]
    if problems:
        raise ConflictError(problems)


def _named(piece: Piece) -> str:
    address, key = piece
    return f"partition {key} of {address}" if key else str(address)


def _pieces(built: Difference, mine: Ports) -> dict[Piece, str]:
    """Return what was built at an address, by partition; an empty candidate was taken away."""
    address = built.address
    if built.parts is not None:
        return {
            (address, key): after.candidate if after else ""
            for key, (_, after) in built.parts.items()
        }
    entry = mine.get(address)
    if entry is None:
        return {(address, ""): ""}
    if not entry.parts:
        return {(address, ""): entry.candidate}
    return {(address, part.key): part.candidate for part in entry.parts}


def _ref(ports: Ports, piece: Piece) -> str:
    entry = ports.get(piece[0])
    if entry is None:
        return ""
    if not piece[1]:
        return "" if entry.parts else entry.candidate
    part = entry.part(piece[1])
    return part.candidate if part else ""


def _touches(moved: Difference, built: Difference, key: str) -> bool:
    return moved.parts is None or built.parts is None or key in moved.parts
