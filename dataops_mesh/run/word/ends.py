"""What is to end: what is published and was retired, outlived, removed, renamed or cut shorter.

Here it is only said, from declarations, what is published and the clock. Only what nobody reads
and nothing is missing for ends by itself; of the rest a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from dataops_mesh.plan.approval import Approval
from dataops_mesh.spec.cut import same_cut
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.spec.partition import Partitioning, has_key, keys_outside
from dataops_mesh.store.log import Entry, Release
from dataops_mesh.store.tree.ports import lights_in

END_OF_LIFE = "endOfLife"
RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class End:
    """Something published that is to end.

    Args:
        product: the qualified name; it need not be declared any more.
        addresses: what would be withdrawn.
        why: in a few words, as in "shop.orders was retired".
        partitions: only these of it; all of it if empty.
        readers: the active products that read it.
        waits: what is missing before it can end by itself.
        approval: by whose it ends, where one was needed.
        changes: the digest of the changes that this approves.
    """

    product: str
    addresses: tuple[Address, ...]
    why: str
    partitions: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    approval: Approval | None = None
    changes: str = ""

    @property
    def by_itself(self) -> bool:
        """Tell whether it ends without a person's word."""
        return not self.readers and not self.waits

    @property
    def words(self) -> str:
        """Return what ended, why and by whose approval, for people."""
        by = f", approved by {self.approval.approver}" if self.approval else ""
        return f"{self.piece} {self.why}{by}"

    @property
    def piece(self) -> str:
        """Return what of the product it is."""
        named = ", ".join(map(str, self.addresses))
        if not self.partitions:
            return named
        first, last = self.partitions[0], self.partitions[-1]
        keys = f"partitions {first} to {last}" if first != last else f"partition {first}"
        return f"{keys} of {named}"

    @property
    def stopped(self) -> str:
        """Return why it does not end by itself; nothing if it does."""
        verb = "read" if len(self.readers) > 1 else "reads"
        read = f"{', '.join(self.readers)} still {verb} it" if self.readers else ""
        return "; ".join((*self.waits, *([read] if read else [])))


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the rule of publication says of a change: why it may not be, or by whose approval."""

    refusals: tuple[str, ...] = ()
    approval: Approval | None = None
    changes: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What decides what is to end.

    Args:
        products: what is declared here, by qualified name.
        domains: those whose folders are here.
        ours: those that this repository owns, as far as they are asked about.
        asked: only these products; all of these domains if None.
        release: what is published.
        published: of a product, its declaration as it was published last.
        allowed: whether one declaration may follow another; the second None for a removal.
        readers: the active products that read a port; None if nobody can say.
        now: the clock of the mesh.
    """

    products: Mapping[str, Product]
    domains: frozenset[str]
    ours: frozenset[str]
    release: Release
    published: Callable[[str], Product | None]
    allowed: Callable[[Product, Product | None], Allowed]
    readers: Callable[[Address], Iterable[str] | None]
    now: datetime
    asked: Collection[str] | None = None


def ends(seen: Seen) -> tuple[End, ...]:
    """Return everything published that is to end, by product."""
    declared = {port.address for product in seen.products.values() for port in product.outputs}
    found: dict[str, list[Address]] = {}
    for address, light in lights_in(seen.release.ports, *seen.ours) if seen.ours else ():
        if seen.asked is None or light.product in seen.asked:
            found.setdefault(light.product, []).append(address)
    made: list[End] = []
    for name, addresses in sorted(found.items()):
        lost = [address for address in addresses if address not in declared]
        product = seen.products.get(name)
        if product is None:
            made += _removed(name, lost, seen)
            continue
        made += _ports_removed(product, lost, seen)
        kept = [address for address in addresses if address not in lost]
        over = _over(product, kept, seen)
        made += over
        gone = {address for end in over for address in end.addresses}
        made += _fewer(product, [address for address in kept if address not in gone], seen)
    return tuple(made)


def left_declaration(entry: Entry, cuts: Iterable[Partitioning]) -> frozenset[str]:
    """Return the partitions of a port that a declaration does not have.

    Args:
        entry: the port, as it is or was.
        cuts: of the declarations; one that is cut otherwise says nothing of them.
    """
    return frozenset(
        part.key
        for cut in cuts
        if same_cut(entry.cut, cut.cut)
        for first, last in keys_outside(cut)
        for part in entry.between(first, last)
        if has_key(cut, part.key) is False
    )


def life_ends(port: OutputPort) -> datetime | None:
    """Return when the contract of a port says that it ends."""
    for sla in port.contract.slas:
        if sla.property == END_OF_LIFE and not sla.element and isinstance(sla.value, str):
            try:
                day = date.fromisoformat(sla.value)
            except ValueError:
                at = datetime.fromisoformat(sla.value)
                return at if at.tzinfo else at.replace(tzinfo=UTC)
            return datetime.combine(day, time(), UTC)
    return None


def _removed(name: str, lost: Sequence[Address], seen: Seen) -> Iterator[End]:
    """Yield the end of a product that is declared no more, or under another name."""
    if not lost:
        return
    is_here, before = name.partition(".")[0] in seen.domains, seen.published(name)
    if before is None:
        if not is_here:
            return
        what = "its last declaration cannot be read, so nobody can approve that"
        yield _end(name, lost, "is declared no more", seen, waits=(what,))
        return
    allowed = seen.allowed(before, None)
    ids = {port.contract.id for port in before.outputs}
    moved = [
        port.address
        for product in seen.products.values()
        for port in product.outputs
        if port.contract.id in ids
    ]
    if not is_here and not moved and allowed.approval is None:
        return  # it may be in a part of the repository that is not here
    why = f"was renamed to {', '.join(map(str, moved))}" if moved else "is declared no more"
    waits = [f"{a} is not published yet" for a in moved if a not in seen.release.ports]
    waits = [*allowed.refusals, *waits]
    yield _end(name, lost, why, seen, waits=tuple(waits), allowed=allowed)


def _ports_removed(product: Product, lost: Sequence[Address], seen: Seen) -> Iterator[End]:
    """Yield the ports that the product has published its last declaration without."""
    if not lost:
        return
    before = seen.published(product.qualified_name)
    has = {port.address for port in before.outputs} if before else set(lost)
    for address in lost:
        waits: tuple[str, ...] = ()
        if address in has:  # it may still be refused, and then nothing has changed
            waits = (f"{product.qualified_name} is not published without it yet",)
        why = "is declared no more"
        yield _end(product.qualified_name, (address,), why, seen, waits=waits)


def _over(product: Product, kept: Sequence[Address], seen: Seen) -> Iterator[End]:
    """Yield the ports that were retired, and those whose announced end has come."""
    name, every = product.qualified_name, {port.address for port in product.outputs}
    over = {}
    for port in product.outputs:
        if RETIRED in {product.status, port.contract.status}:
            over[port.address] = "was retired"
        elif (day := _announced(port, seen, name)) is not None:
            over[port.address] = f"is past its {END_OF_LIFE}, {day:%Y-%m-%d}"
    gone = [address for address in kept if address in over]
    if not gone:
        return
    allowed, before = Allowed(), seen.published(name)
    if before is not None and "was retired" in over.values():
        allowed = seen.allowed(before, product)
    if over.keys() >= every:
        why = "; ".join(dict.fromkeys(over[address] for address in gone))
        yield _end(name, gone, why, seen, waits=allowed.refusals, allowed=allowed)
        return
    waits = (f"{name} still builds it: remove the port from the product",)
    for address in gone:
        yield _end(name, (address,), over[address], seen, waits=waits)


def _announced(port: OutputPort, seen: Seen, name: str) -> datetime | None:
    """Return when a port's life ended, if it has: consumers must have been told so before."""
    day = life_ends(port)
    if day is None or day > seen.now:
        return None
    before = seen.published(name)
    told = [one for one in before.outputs if one.address == port.address] if before else []
    was = life_ends(told[0]) if told else None
    return day if was is not None and was <= seen.now else None


def _fewer(product: Product, kept: Sequence[Address], seen: Seen) -> Iterator[End]:
    """Yield the partitions that the declaration has no more, once it was published like that."""
    cut, name = product.partitioning, product.qualified_name
    if cut is None:
        return
    left = {
        address: [
            part.key
            for first, last in keys_outside(cut)
            for part in seen.release.ports[address].between(first, last)
            if has_key(cut, part.key) is False
        ]
        for address in kept
    }
    gone = [address for address, keys in left.items() if keys]
    before = seen.published(name) if gone else None
    was = before.partitioning if before else None
    if was is None or not same_cut(was.cut, cut.cut):
        return  # cut otherwise: --rebuild puts the new partitions in the place of the old
    keys = tuple(sorted({key for found in left.values() for key in found}))
    # Until it is published it may be refused, and then nothing has changed.
    still = any(has_key(was, key) for key in keys)
    waits = (f"{name} is not published without them yet",) if still else ()
    yield _end(name, gone, "left the declaration", seen, partitions=keys, waits=waits)


def _end(  # noqa: PLR0913 - keywords, each a fact of the end
    product: str,
    entries: Iterable[Address],
    why: str,
    seen: Seen,
    *,
    waits: tuple[str, ...] = (),
    partitions: tuple[str, ...] = (),
    allowed: Allowed | None = None,
) -> End:
    addresses = tuple(sorted(entries))
    found = [seen.readers(address) for address in addresses]
    readers = {name for names in found for name in names or ()} - {product}
    if None in found:
        waits = (*waits, "nobody can say who reads it: the registry cannot be read")
    allowed = allowed or Allowed()
    return End(
        product,
        addresses,
        why,
        partitions,
        tuple(sorted(readers)),
        waits,
        allowed.approval,
        allowed.changes,
    )
