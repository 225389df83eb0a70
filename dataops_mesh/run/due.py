"""Which partitions are to be built: a comparison of what each was built from with what there is.

Followed is what can be told apart by partition: of a published input that is cut by time, the
partitions that have something of the window, as that input was cut when it was published; of a
source whose path says `{partition}`, its own files and those with late rows of it. Whatever else a
product reads, it reads as a whole: of that only the current partition is sure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from dataops_mesh.engine.source import fingerprint, resolve
from dataops_mesh.errors import SourceError
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.inputs.fetching import is_remote, remote_ports, seen
from dataops_mesh.run.inputs.late import late_content
from dataops_mesh.run.partition import cut_reasons
from dataops_mesh.run.record import reads_of_last_runs
from dataops_mesh.run.word.held import hold_on, read_now
from dataops_mesh.spec.cut import is_coarser, keys_over
from dataops_mesh.spec.model import InputPort, Product
from dataops_mesh.spec.partition import Partition, partitions_until
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.log import Entry, Part, Release, latest
from dataops_mesh.store.store import Store


def due_partitions(product: Product, environment: Environment) -> tuple[str, ...]:
    """Return the partitions that `mesh run` builds.

    They are those never published, the current one, those built before they were over, and those
    whose own input changed since. What has not been delivered yet is left out, and what is held.
    """
    if cut_reasons(product, latest(environment.store)):  # of a rebuild a person decides
        return ()
    due = partitions_and_holds(product, environment)
    return tuple(key for key, hold in due.items() if hold is None)


def partitions_and_holds(product: Product, environment: Environment) -> dict[str, Hold | None]:
    """Return the partitions that are due, each with what keeps it from being published."""
    release = latest(environment.store)
    if cut_reasons(product, release):  # one refusal says what all of them would say
        return dict.fromkeys(all_partitions(product, environment)[-1:])
    entry = _entry(product, release)
    return {
        piece.key: _hold_on(product, piece, release, environment)
        for piece, is_current in _pieces(product, environment)
        if (
            is_current
            or (part := entry.part(piece.key) if entry else None) is None
            or _is_behind(product, part, piece, release, environment)
        )
        and is_delivered(product, piece, release, environment.store)
    }


def all_partitions(product: Product, environment: Environment) -> tuple[str, ...]:
    """Return every partition that has begun."""
    return tuple(piece.key for piece, _ in _pieces(product, environment))


def woken_partitions(product: Product, environment: Environment) -> dict[str, str]:
    """Return the partitions that have not seen what they would read now, and a digest of that.

    Of partitions older than the oldest that is published a person decides, by a backfill. A
    partition that was refused is asked for again when what it reads is another content.
    """
    release, store = latest(environment.store), environment.store
    ports = [port for port in product.inputs if port.address is not None]
    if any(port.address not in release.ports for port in ports) or cut_reasons(product, release):
        return {}
    entry = _entry(product, release)
    oldest = entry.parts[0].key if entry and entry.parts else ""
    found = {}
    for piece, is_current in _pieces(product, environment):
        whole = _unseen_whole(product, piece, release, environment) if is_current else ""
        part = entry.part(piece.key) if entry else None
        if part is None:
            late = bool(oldest and piece.key > oldest)
            wakes = is_current or (late and bool(own_content(product, piece, release, store)))
        else:
            wakes = _is_behind(product, part, piece, release, environment)
        wakes = wakes or bool(is_current and whole)
        wakes = wakes and _hold_on(product, piece, release, environment) is None
        if wakes and is_delivered(product, piece, release, store):
            own = own_content(product, piece, release, store)
            found[piece.key] = _digest([own, whole, str(bool(part))])
    return found


def own_content(
    product: Product,
    piece: Partition,
    release: Release,
    store: Store,
    read: Iterable[tuple[str, str]] = (),
) -> str:
    """Return a digest of what can be told to be this partition's own; empty if nothing can.

    Args:
        product: whose partition it is.
        piece: the partition.
        release: what is published.
        store: the store.
        read: what a run has read of sources: of one that is fetched nobody else knows that.
    """
    cut = {port.name for port in remote_ports(product) if port.source and port.source.is_cut}
    fetched = {name: content for name, content in read if name in cut}
    found = [
        (port.name, content)
        for port in product.inputs
        if (content := fetched.get(port.name) or _content(product, port, piece, release, store))
    ]
    return _digest(found) if found else ""


def is_delivered(product: Product, piece: Partition, release: Release, store: Store) -> bool:
    """Tell whether every input that is followed by partition has something for this one."""
    try:
        for port in product.inputs:
            if port.source is not None and port.source.is_cut and is_remote(port):
                if not seen(store, product, port, piece.key):
                    return False
            elif port.source is not None and port.source.is_cut:
                resolve(port.source, product.folder, piece.key)
            waited = _followed(port, piece, release) == [] and not _is_longer(
                product, port, release
            )
            if waited or withdrawn_with(port, piece, release):
                return False
    except SourceError:
        return False
    return True


def withdrawn_with(port: InputPort, piece: Partition, release: Release) -> Hold | None:
    """Return the withdrawal that left nothing of a published input to build a partition from."""
    holds = release.withdrawn.get(port.address, ()) if port.address is not None else ()
    if not holds or (port.address is not None and port.address not in release.ports):
        return None
    if piece.begins is None:
        return next((hold for hold in holds if hold.partition == piece.key), None)
    if _followed(port, piece, release) != []:
        return None
    entry = release.ports.get(port.address) if port.address is not None else None
    keys = keys_over(entry.cut, piece) if entry else None
    inside = (hold for hold in holds if keys and keys[0] <= hold.partition <= keys[1])
    return next(inside, None)


def _is_longer(product: Product, port: InputPort, release: Release) -> bool:
    """Tell whether an input has longer partitions: a day does not wait for the month's first."""
    entry = release.ports.get(port.address) if port.address is not None else None
    cut = product.partitioning
    return entry is not None and cut is not None and is_coarser(entry.cut, cut.cadence)


def is_over(piece: Partition, environment: Environment) -> bool:
    """Tell whether no more data of the partition can come to be."""
    return piece.ends is None or environment.settings.clock() >= piece.ends


def _hold_on(
    product: Product, piece: Partition, release: Release, environment: Environment
) -> Hold | None:

    def read() -> str:
        own = own_content(product, piece, release, environment.store)
        return own or read_now(product, environment, release, piece.key)

    return hold_on(product, release, piece.key, read)


def _is_behind(
    product: Product, part: Part, piece: Partition, release: Release, environment: Environment
) -> bool:
    if part.own and _may_differ(product, part, piece, release):
        own = own_content(product, piece, release, environment.store)
        if own and own != part.own:
            return True
    return (
        part.open
        and is_over(piece, environment)
        and not (
            product.inputs
            and all(
                _followed(port, piece, release) is not None
                or (port.source is not None and port.source.is_cut)
                for port in product.inputs
            )
        )
    )


def _may_differ(product: Product, part: Part, piece: Partition, release: Release) -> bool:
    """Tell whether a partition's own inputs may be others than it was built from.

    What was published since says an input's entry; so nothing is read of what stayed.
    """
    seen = dict(part.inputs)
    for port in product.inputs:
        if port.address is None:
            if port.source is not None and port.source.is_cut:
                return True  # files tell for themselves
            continue
        entry = release.ports.get(port.address)
        keys = _keys(entry, piece) if entry is not None and entry.parts else None
        if entry is None or keys is None:
            return True
        if entry.newest_between(*keys) > seen.get(str(port.address), -1):
            return True
    return False


def _keys(entry: Entry, piece: Partition) -> tuple[str, str] | None:
    """Return the keys of the first and last partitions that have something of a piece's time."""
    return (piece.key, piece.key) if piece.begins is None else keys_over(entry.cut, piece)


def _content(
    product: Product, port: InputPort, piece: Partition, release: Release, store: Store
) -> str:
    if port.address is not None:
        parts = _followed(port, piece, release)
        return _digest([(part.key, part.form(port.role)) for part in parts]) if parts else ""
    if port.source is None or not port.source.is_cut:
        return ""
    if is_remote(port):
        return seen(store, product, port, piece.key)
    try:
        own = fingerprint(store, resolve(port.source, product.folder, piece.key))
        late = late_content(store, product, port, piece.key)
        return _digest([own, late]) if late else own
    except SourceError:
        return ""


def _followed(port: InputPort, piece: Partition, release: Release) -> list[Part] | None:
    """Return the partitions of a published input that have something of this one's time.

    None if they cannot be told: it is published whole, or cut by something else.
    """
    entry = release.ports.get(port.address) if port.address is not None else None
    if entry is None or not entry.parts:
        return None
    if piece.begins is None:
        found = entry.part(piece.key)
        return [found] if found else None
    keys = keys_over(entry.cut, piece)
    if keys is None:
        return None
    return entry.between(*keys)


def _unseen_whole(
    product: Product, piece: Partition, release: Release, environment: Environment
) -> str:
    """Return a digest of the inputs that are read as a whole, if the last run read others."""
    forms = {
        port.name: release.ports[port.address].form(port.role)
        for port in product.inputs
        if port.address is not None and port.address in release.ports
    }
    followed = {port.name for port in product.inputs if _followed(port, piece, release) is not None}
    whole = {name: form for name, form in forms.items() if name not in followed}
    if not whole:
        return ""
    seen = reads_of_last_runs(environment, [product.qualified_name])
    last = seen.get(product.qualified_name, {})
    same = all(last.get(name) == content for name, content in whole.items())
    return "" if same else _digest(sorted(whole.items()))


def _pieces(product: Product, environment: Environment) -> Iterator[tuple[Partition, bool]]:
    """Yield each partition that has begun, and whether it is current; listed ones always are.

    Of a product whose `end` is past none is: it is done.
    """
    if product.partitioning is None:
        return
    pieces = partitions_until(product.partitioning, environment.settings.clock())
    for piece in pieces:
        lasts = piece is pieces[-1] and not is_over(piece, environment)
        yield piece, product.partitioning.cadence is None or lasts


def _entry(product: Product, release: Release) -> Entry | None:
    """Return the port that has the fewest partitions: one that lacks one lacks the product."""
    entries = [release.ports.get(port.address) for port in product.outputs]
    found = [entry for entry in entries if entry is not None]
    return min(found, key=lambda e: len(e.parts)) if len(found) == len(entries) else None


def _digest(what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]
