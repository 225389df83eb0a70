"""Bringing a sandbox up to what its base shows now, without what was built in it.

Numbers order the releases of one line. So what is taken gets the number of the release that takes
it, and says of what it was read from the numbers that these have here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.hold import REFRESHED, WITHDRAWAL, Hold, with_hold
from dataops_mesh.store.holding import Asked, after_publication, follow, following
from dataops_mesh.store.line.differ import Difference, difference, differences
from dataops_mesh.store.line.known import on_line
from dataops_mesh.store.line.numbers import Known, numbered
from dataops_mesh.store.log import PUBLICATION, Base, Release, as_it_was, grown, latest, ports_of
from dataops_mesh.store.pins import is_taken, pinned
from dataops_mesh.store.removing.removal import removals
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.entry import Entry
from dataops_mesh.store.tree.growth import Grown, published, withdrawn
from dataops_mesh.store.tree.part import Part
from dataops_mesh.store.tree.ports import Ports

Piece = tuple[Address, str]  # a port, or one partition of it
ByKey = dict[str, tuple[Part | None, Part | None]]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did.

    Args:
        taken: what is read from the base as it is now.
        diverged: what was built here and has changed there too: it stays as it was built.
        erased: what was built here of what production has erased since.
    """

    release: Release
    taken: tuple[Piece, ...] = ()
    diverged: tuple[Piece, ...] = ()
    erased: tuple[Piece, ...] = ()


@dataclass(slots=True)
class _Moves:
    whole: dict[Address, Entry] = field(default_factory=dict)
    parts: dict[Address, Entry] = field(default_factory=dict)
    gone: list[Piece] = field(default_factory=list)
    diverged: list[Piece] = field(default_factory=list)
    erased: list[Piece] = field(default_factory=list)


def refresh(store: Store, asked: Asked, number: int | None = None) -> Refreshed:
    """Read from the base as it is now what was not built in the sandbox.

    Args:
        store: the store, on the line of the sandbox.
        asked: who and why.
        number: the release of the base to go to; the newest if absent.

    Raises:
        StoreError: it shows a subset, whose rows were chosen to fit each other.
        UnknownNameError: its base is a sandbox that was taken down.
    """
    base = base_of(latest(store))
    if base.subset:
        what = f"{store.sandbox} shows {base.subset} of the rows that there were at one moment"
        then = f"mesh sandbox down {store.sandbox}, then up again with --subset {base.subset}"
        raise StoreError(Problem(what, next=then))
    done: list[_Moves] = []
    with pinned(on_line(store, base.line), number) as now:

        def refreshed(current: Release) -> Release:
            base = base_of(current)
            done[:] = [_Moves()]
            # As it was: what was erased since is withdrawn there, and so it is here.
            there = as_it_was(store.on(base.line), now.number)
            return _refreshed(store, current, there, asked, done[0])

        release = follow(store, refreshed)
    moves = done[0]
    taken = [
        *((a, "") for a in moves.whole),
        *((a, part.key) for a, entry in moves.parts.items() for part in entry.parts),
        *moves.gone,
    ]
    found = (tuple(sorted(pieces)) for pieces in (taken, moves.diverged, moves.erased))
    return Refreshed(release, *found)


def withdraw_erased(store: Store, asked: Asked) -> Release | None:
    """Take away from a sandbox what production has erased; None if it shows nothing of it."""
    found: list[Piece] = []

    def without(current: Release) -> Release:
        found[:] = erased_in(store, current, current.origin)
        if not found:
            return current
        release = following(current, WITHDRAWAL, asked)
        after = _without(ports_of(current), found, release.number)
        said = Hold("", asked.person, asked.reason, release.number, release.at, WITHDRAWAL)
        return _saying(grown(release, after), current, found, said)

    release = follow(store, without)
    return release if found else None


def erased_in(store: Store, current: Release, since: int) -> list[Piece]:
    """Return what a release of a sandbox shows of what production has erased since."""
    found, taken = [], is_taken(store)
    for removal in removals(store, since):
        for address in removal.addresses:
            entry = current.ports.get(address)
            if entry is None or entry.product != removal.product:
                continue
            if not entry.parts and taken(entry.candidate, removal):
                found.append((address, ""))
            found += [(address, p.key) for p in entry.parts if taken(p.candidate, removal)]
    return list(dict.fromkeys(found))


def base_of(release: Release) -> Base:
    """Return what a sandbox was opened from or refreshed to."""
    if release.base is None:
        raise TypeError(release.line)
    return release.base


def _refreshed(
    store: Store, current: Release, there: Release, asked: Asked, moves: _Moves
) -> Release:
    base, mine, theirs = base_of(current), ports_of(current), ports_of(there)
    before = Ports(store.root, base.nodes)
    moves.erased += erased_in(store, current, base.origin)
    for moved in differences(before, theirs):
        _take(moved, before, mine, theirs, moves)
    release = following(current, REFRESHED, asked)
    number = release.number
    known = Known(mine, theirs, number, frozenset({*moves.whole, *moves.parts}))
    after = published(mine, numbered(moves.parts, known.number_of), number, PUBLICATION)
    after = _then(
        after,
        published(
            after.ports, numbered(moves.whole, known.number_of), number, PUBLICATION, whole=True
        ),
    )
    gone = [*moves.gone, *(piece for piece in moves.erased if _shows(after.ports, piece))]
    after = _then(after, _without(after.ports, gone, number))
    origin = there.origin
    nodes = dict(theirs.nodes)
    now = replace(base, line=there.line, number=there.number, nodes=nodes, origin=origin)
    changes = {**moves.parts, **moves.whole}
    told = after_publication(current.withdrawn, changes, whole=False)
    release = replace(grown(release, after), base=now, withdrawn=told)
    said = Hold("", asked.person, "it is gone there", number, release.at, WITHDRAWAL)
    return _saying(release, release, gone, said)


def _take(moved: Difference, before: Ports, mine: Ports, theirs: Ports, moves: _Moves) -> None:
    """Decide what to do with one address that has moved in the base."""
    address = moved.address
    built = difference(address, before, mine)
    here = {} if built is None else _by_key(built, before, mine)
    there = moved.parts if built is None else _by_key(moved, before, theirs)
    if here is not None and there is not None:
        keys = [key for key in there if key not in here]
        both = {key for key in there if key in here}
        moves.diverged += [(address, key) for key in both if here[key][1] != there[key][1]]
        moves.gone += [(address, key) for key in keys if there[key][1] is None]
        new = tuple(part for key in keys if (part := there[key][1]) is not None)
        if new:
            last = max(new, key=lambda part: part.publication)
            entry = theirs[address]
            moves.parts[address] = replace(entry, parts=new, candidate=last.candidate)
    elif built is not None:
        if difference(address, mine, theirs) is not None:
            moves.diverged.append((address, ""))
    elif moved.after is None:
        moves.gone.append((address, ""))
    else:
        moves.whole[address] = theirs[address]


def _by_key(found: Difference, before: Ports, after: Ports) -> ByKey | None:
    """Return what differs by partition, also where nothing was or is left; None of a whole port."""
    address = found.address
    if found.parts is not None:
        return found.parts
    if found.after is None and (parts := before[address].parts):
        return {part.key: (part, None) for part in parts}
    if found.before is None and (parts := after[address].parts):
        return {part.key: (None, part) for part in parts}
    return None


def _without(ports: Ports, pieces: Iterable[Piece], number: int) -> Grown:
    after = Grown(ports)
    for address, key in pieces:
        after = _then(after, withdrawn(after.ports, (address,), key, number))
    return after


def _then(first: Grown, second: Grown) -> Grown:
    """Return what two steps make of everything; of one address, what the last has done."""
    pending = {**first.ports.pending, **second.ports.pending}
    switches = {one.address: one for one in (*first.switches, *second.switches)}
    return Grown(replace(second.ports, pending=pending), tuple(switches.values()))


def _shows(ports: Ports, piece: Piece) -> bool:
    entry = ports.get(piece[0])
    return entry is not None and (not piece[1] or entry.part(piece[1]) is not None)


def _saying(release: Release, current: Release, pieces: Iterable[Piece], said: Hold) -> Release:
    """Return a release that says who took pieces away."""
    told = current.withdrawn
    for address, key in pieces:
        before = ports_of(current).light(address)
        product = before.product if before else ""
        told = with_hold(told, (address,), replace(said, product=product, partition=key))
    return replace(release, withdrawn=told)
