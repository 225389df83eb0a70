"""How every product of a mesh stands: the same promises as `slo_of`, for all at once.

`slo_of` reads a product's last events, which is right for one and too much for a thousand; this
asks the ledger a handful of questions, however many products there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dataops_mesh.ledger import Ledger, ProductStatus, status
from dataops_mesh.ledger.current import failed_results, last_audits
from dataops_mesh.ledger.trouble.incidents import AuditRecord
from dataops_mesh.run.word.held import is_stopped
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.log import Release, ports_of
from dataops_mesh.store.removing.withdrawal import withdrawal_of
from dataops_mesh.store.tree.entry import Light
from dataops_mesh.watch.built import built_of, newest_of
from dataops_mesh.watch.excused import excuses
from dataops_mesh.watch.slo import FRESHNESS, HELD, Read, Slo, is_complete, kept, promises_data

WATCHED = frozenset({"active", "deprecated", "retired"})
# How a product stands, the gravest first.
WORDS = (
    "refused", "failed", "late", "stale", "withdrawn", "held", "due", "never", "not watched",
    "well",
)  # fmt: skip
WRONG = frozenset({"refused", "failed", "late", "stale"})
_FAILED = frozenset({"error", "failed"})


@dataclass(frozen=True, slots=True)
class State:
    """How one product stands.

    Args:
        word: one of `WORDS`; `not watched` is one that runs only when somebody names it.
        slo: how it keeps its promises.
        lights: what consumers read of each of its ports.
        built: when the newest of that was built.
        last: how its last run ended, if it ever ran.
        holds: on itself.
        behind: holds and withdrawals, its own and upstream, for which it is not called late.
        gone: who took it away from consumers, if it is.
    """

    product: str
    word: str
    slo: Slo = field(default_factory=Slo)
    lights: Mapping[Address, Light] = field(default_factory=dict)
    built: datetime | None = None
    last: ProductStatus | None = None
    holds: tuple[Hold, ...] = ()
    behind: tuple[Hold, ...] = ()
    gone: Hold | None = None

    @property
    def publication(self) -> int | None:
        """Return the newest publication that consumers read of it."""
        return max((light.publication for light in self.lights.values()), default=None)

    @property
    def rows(self) -> int | None:
        """Return how many rows consumers read."""
        return sum(light.rows for light in self.lights.values()) if self.lights else None


@dataclass(frozen=True, slots=True)
class _Known:
    """What was asked once for all products."""

    lights: Mapping[Address, Light]
    built: Mapping[Address, datetime]
    stale: Mapping[str, str]
    audits: Mapping[str, AuditRecord]
    runs: Mapping[str, ProductStatus]
    release: Release
    now: datetime


def states(
    products: Mapping[str, Product],
    ledger: Ledger,
    release: Release,
    now: datetime,
    asked: Collection[str] | None = None,
) -> dict[str, State]:
    """Return how each product stands, by qualified name.

    Args:
        products: all products of the mesh, by name, so that holds upstream are seen.
        ledger: with everything on record.
        release: the newest.
        now: the real time.
        asked: the products that are asked about; all if None.
    """
    every = tuple(products[name] for name in (products if asked is None else asked))
    if asked is None:
        lights = dict(ports_of(release).lights())
    else:
        read = {port.address: ports_of(release).light(port.address)
                for p in every for port in p.outputs if port.address in release.ports}  # fmt: skip
        lights = {address: light for address, light in read.items() if light is not None}
    shown = {port.address: lights[port.address] for p in every for port in p.outputs
             if port.address in lights}  # fmt: skip
    dated = [p for p in every if promises_data(p)]
    refs = {shown[port.address].candidate for p in dated for port in p.outputs
            if port.address in shown}  # fmt: skip
    known = _Known(
        lights,
        built_of(ledger, release, shown),
        failed_results(ledger, refs, FRESHNESS),
        last_audits(ledger, asked) if dated else {},
        {one.product: one for one in status(ledger, asked)},
        release,
        now,
    )
    behind = _behind(products, every, release)
    return {p.qualified_name: _state(p, known, behind.get(p.qualified_name, ())) for p in every}


def _state(product: Product, known: _Known, behind: tuple[Hold, ...]) -> State:
    name = product.qualified_name
    addresses = [port.address for port in product.outputs]
    lights = {a: known.lights[a] for a in addresses if a in known.lights}
    newest = newest_of(lights)
    built, slo = known.built.get(newest[0]) if newest else None, Slo()
    excused = excuses(product, behind, known.release, known.now) if behind else ()
    if newest and built is not None:
        _, light = newest
        read = Read(
            light.publication,
            built,
            known.stale.get(light.candidate),
            known.audits.get(name),
            is_complete(product, known.release, known.now),
        )
        slo = kept(product, read, excused, known.now)
    holds = [hold for a in addresses for hold in known.release.holds.get(a, ())]
    mine = tuple({(hold.partition, hold.release): hold for hold in holds}.values())
    last = known.runs.get(name)
    gone = next(filter(None, (withdrawal_of(known.release, one) for one in addresses)), None)
    word = _word(product, slo, last, mine, gone=gone is not None, there=bool(lights))
    return State(name, word, slo, lights, built, last, mine, excused, gone)


def _word(  # noqa: PLR0913 - one line for each word
    product: Product,
    slo: Slo,
    last: ProductStatus | None,
    holds: tuple[Hold, ...],
    *,
    gone: bool,
    there: bool,
) -> str:
    if product.status not in WATCHED:
        return "not watched"
    # What a hold stopped says nothing of the data: the hold itself is told of while it stands.
    verdict = last.last_verdict if last and not is_stopped(last.last_reasons) else None
    if gone:
        return "withdrawn"
    if any(not hold.partition for hold in holds):
        return HELD
    if verdict == "refuse":
        return "refused"
    if verdict in _FAILED:
        return "failed"
    if slo.runs == "late":
        return "late"
    if slo.data == "stale":
        return "stale"
    if not there:
        return "never"
    if holds or HELD in {slo.runs, slo.data}:
        return HELD
    return "due" if slo.runs == "due" else "well"


def _behind(
    every: Mapping[str, Product], asked: Iterable[Product], release: Release
) -> dict[str, tuple[Hold, ...]]:
    """Return the holds on each product and on what it reads, however far up, and what is gone.

    Nothing is read where nothing is held or withdrawn, which is most of the time.
    """
    if not release.holds and not release.withdrawn:
        return {}
    made_by = {port.address: name for name, p in every.items() for port in p.outputs}
    own = {
        name: {hold for port in p.outputs for hold in release.holds.get(port.address, ())}
        for name, p in every.items()
    }
    found: dict[str, set[Hold]] = {}
    for product in asked:
        name = product.qualified_name
        seen, waiting = {name}, [name]
        while waiting:
            one = every[waiting.pop()]
            found.setdefault(name, set()).update(own[one.qualified_name])
            more = {made_by[p.address] for p in one.inputs if p.address in made_by}
            waiting += more - seen
            seen |= more
        for port in product.inputs:
            gone = withdrawal_of(release, port.address) if port.address else None
            if gone is not None:
                found[name].add(gone)
    return {
        name: tuple(sorted(holds, key=lambda one: one.release))
        for name, holds in found.items()
        if holds
    }
