"""How secret what is published was said to be: by the contracts under which it was published.

A product reads its own last publication as `self`, and a port in partitions shows many that are
not built again. What today's contract says of them is a word about tomorrow.

No partition that stays is of a higher class than the last publication said, for each publication
is judged by that: so nobody need look at all of them, unless something else came after it (a
rollback, a withdrawal) or the class is another one now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from dataops_mesh.errors import MeshError
from dataops_mesh.run.declaration import published_product
from dataops_mesh.run.inputs.own import FULL
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.store.log import PUBLICATION, Entry, Release
from dataops_mesh.store.manifest import read_declared
from dataops_mesh.store.store import Store

Says = Callable[[OutputPort], object]  # what counts of a contract


@dataclass(frozen=True, slots=True)
class Said:
    """A contract under which something was published that is read, or stays.

    Args:
        port: as it was declared then; None where nobody can tell.
        keys: the partitions that it was said of; empty for all that there is.
        fix: what mends it, if it is to be said no more.
        own: it is the product's own.
    """

    port: OutputPort | None
    keys: tuple[str, ...] = ()
    fix: str = ""
    own: bool = False

    @property
    def which(self) -> str:
        """Return which partitions these are, for people.

        >>> Said(None, ("a", "b", "c")).which
        'partition a and 2 others'
        """
        first, others = self.keys[:1], len(self.keys) - 1
        more = f" and {others} other{'s' * (others > 1)}" if others > 0 else ""
        return f"partition {first[0]}{more}" if first else ""


@dataclass(frozen=True, slots=True)
class Former:
    """What was published under other contracts than today's, by port.

    Args:
        read: what the product reads of it.
        stays: of its own ports, the partitions that it does not build again.
    """

    read: Mapping[Address, tuple[Said, ...]] = field(default_factory=dict)
    stays: Mapping[Address, tuple[Said, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return any((*self.read.values(), *self.stays.values()))


NOTHING = Former()


@dataclass(frozen=True, slots=True)
class Building:
    """What a run builds of a product, and what it reads of what the product published.

    Args:
        keys: the partitions that are built; None for all that there will be.
        reads: those that are read as `self`, the empty key for a whole port; None for any.
    """

    keys: frozenset[str] | None = None
    reads: frozenset[str] | None = frozenset()

    @classmethod
    def one(cls, key: str, *, full: bool) -> Building:
        """Return one partition, or with an empty key a whole product."""
        return cls(frozenset((key,)), frozenset() if full else frozenset((key,)))


ANY = Building(frozenset(), None)  # whatever is built next


def former_of(store: Store, product: Product, release: Release, building: Building) -> Former:
    """Return what of its own a product reads or leaves that was published under other contracts."""
    name, own = product.qualified_name, {port.address for port in product.reads if port.address}
    read, stays = dict[Address, tuple[Said, ...]](), dict[Address, tuple[Said, ...]]()
    for port in product.outputs:
        entry = release.ports.get(port.address)
        if entry is None:
            continue
        if port.address in own:
            full = f"build without what was published: mesh run {name} {FULL}"
            if building.reads is None:
                found = _standing(store, port, entry, (), full)
            else:
                found = _said(store, port, _shown(entry, building.reads), full)
            read[port.address] = found
        if product.partitioning is not None and building.keys is not None and entry.parts:
            all_ = rebuilding(product)
            stays[port.address] = _standing(store, port, entry, building.keys, all_)
    return Former(read, stays)


def rebuilding(product: Product) -> str:
    """Return what to do so that no partition stays as it is."""
    more = f" {FULL}" if product.own else ""
    return f"build all partitions again: mesh run {product.qualified_name} --rebuild{more}"


def staying(
    store: Store, port: OutputPort, entry: Entry, without: Collection[str], says: Says
) -> tuple[Said, ...]:
    """Return the other contracts of the partitions that a port shows, but for some of them.

    Args:
        store: the store.
        port: as it is declared now.
        entry: what it shows.
        without: the partitions that are built.
        says: what counts of a contract.
    """
    return _standing(store, port, entry, without, "", says) if entry.parts else ()


def readable(store: Store, address: Address, entry: Entry) -> tuple[Said, ...]:
    """Return under which contracts what can be read of a port was published."""
    if entry.parts and entry.kind != PUBLICATION:
        found = {part.key: part.candidate for part in entry.parts}
    else:
        found = {"": entry.candidate}
    return _grouped(store, address, found)


def published_as(
    store: Store, ref: str, address: Address, today: OutputPort | None = None
) -> OutputPort | None:
    """Return a port by the contract that a candidate was judged by; None where nobody can tell.

    Args:
        store: the store.
        ref: the candidate.
        address: of the port.
        today: the port as it is declared now, which need not be read again.
    """
    try:
        declared = read_declared(store, ref)
        used = declared.contract(address)
        if today is not None and used == today.contract.fingerprint:
            return today
        owner = published_product(store, declared)
    except MeshError:
        return None
    ports = owner.outputs if owner is not None else ()
    of = (one for one in ports if one.address == address and one.contract.fingerprint == used)
    return next(of, None)


def _classes(port: OutputPort) -> dict[str, tuple[str, bool]]:
    """Return how secret each column is said to be, and whether its values are told."""
    return {
        one.name: (
            (one.classification or "").lower(),
            one.mask is not None and one.mask.breaks,
        )
        for one in port.contract.columns
    }


def _standing(  # noqa: PLR0913, PLR0917 - of which port, what, and by what
    store: Store,
    port: OutputPort,
    entry: Entry,
    without: Collection[str],
    fix: str,
    says: Says = _classes,
) -> tuple[Said, ...]:
    """Return the other contracts of what a port shows, but for some of its partitions."""
    newest = published_as(store, entry.candidate, port.address, port)
    same = newest is not None and says(newest) == says(port)
    if same and entry.kind == PUBLICATION:
        return ()
    found = {key: ref for key, ref in _shown(entry, None).items() if key not in without}
    return _said(store, port, found, fix, says)


def _shown(entry: Entry, keys: Collection[str] | None) -> dict[str, str]:
    """Return the candidates that a port shows, by partition."""
    if not entry.parts:
        return {"": entry.candidate} if keys is None or "" in keys else {}
    if keys is None:
        return {part.key: part.candidate for part in entry.parts}
    found = (entry.part(key) for key in keys)
    return {part.key: part.candidate for part in found if part is not None}


def _said(
    store: Store,
    port: OutputPort,
    shown: Mapping[str, str],
    fix: str,
    says: Says = _classes,
) -> tuple[Said, ...]:
    """Return the contracts of candidates that say anything else than today's does."""
    found = _grouped(store, port.address, shown, port)
    other = (one for one in found if one.port is None or says(one.port) != says(port))
    return tuple(Said(one.port, one.keys, fix, own=True) for one in other)


def _grouped(
    store: Store, address: Address, shown: Mapping[str, str], today: OutputPort | None = None
) -> tuple[Said, ...]:
    found: dict[str, tuple[OutputPort | None, list[str]]] = {}
    for key, ref in sorted(shown.items()):
        port = published_as(store, ref, address, today)
        _, keys = found.setdefault(port.contract.fingerprint if port else "", (port, []))
        keys += [key] if key else []
    return tuple(Said(port, tuple(keys)) for port, keys in found.values())
