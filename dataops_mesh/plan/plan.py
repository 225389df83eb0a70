"""The plan: what publishing the working tree would change, for whom, and what may not be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from dataops_mesh.plan.advice import rewrite
from dataops_mesh.plan.approval import Approval
from dataops_mesh.plan.change import (
    Bump,
    Change,
    Compatibility,
    digest,
    required,
    to_be_approved,
)
from dataops_mesh.plan.compare import compare
from dataops_mesh.plan.lineage.product import Lineage
from dataops_mesh.plan.publication import Spent, change_reasons, to_approve, unspent
from dataops_mesh.plan.readers import ACTIVE, deprecation, left_behind, readers, still_read
from dataops_mesh.plan.version import bump_of
from dataops_mesh.spec.checks.coverage import coverage
from dataops_mesh.spec.model import Address, Mesh, Product

PUBLISHED = "published"  # what a plan is compared with, unless somebody says otherwise


@dataclass(frozen=True, slots=True)
class Version:
    """A product's declaration and the fingerprint of its transform, where it is known."""

    product: Product
    transform: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What would be published, and how to ask about it.

    Args:
        mesh: the declarations; its products are the consumers too.
        transforms: the fingerprints of its transforms, by qualified name.
        lineage: of a consumer.
        approvals: in the folder of a product; of one that is gone, where that was.
        others: consumers that are declared elsewhere.
        origins: where that is, by qualified name.
        spent: of a product, how often changes of a digest were approved and published.
        exposures: of a port, what reads it outside the mesh.
    """

    mesh: Mesh
    transforms: Mapping[str, str]
    lineage: Callable[[Product], Lineage]
    approvals: Callable[[Product], Iterable[Approval]]
    others: tuple[Product, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    spent: Callable[[str], Spent] = lambda _: unspent
    exposures: Callable[[Address], Iterable[str]] = lambda _: ()

    @property
    def products(self) -> tuple[Product, ...]:
        """Return everybody who may read a port."""
        return (*self.mesh.products, *self.others)


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who reads a changed port.

    Args:
        reader: the output port that is built from it, or the product whose checks read it.
        product: the consumer's product.
        reads: the changed port.
        columns: the changed columns that it needs; all of them if it is not certain.
        certain: the lineage is known; otherwise it may use them.
        origin: the repository of the consumer, if it is another one.
    """

    reader: str
    product: str
    reads: Address
    columns: tuple[str, ...]
    certain: bool
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """What happens to one product."""

    product: str
    state: str
    changes: tuple[Change, ...]
    versions: tuple[tuple[str, str, str, Bump, Bump], ...]  # port, before, after, required, given
    consumers: tuple[Consumer, ...]
    refusals: tuple[str, ...]
    rewrites: tuple[str, ...]
    approval: str
    unexecuted: tuple[str, ...] = ()  # what its contracts say and nobody executes here


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change of declarations would do.

    Args:
        against: what it was compared with.
        products: those that differ.
        rebuild: the products that will be built again, in order.
        warnings: what consumers of deprecated ports should know.
        digest: of all changes.
    """

    against: str
    products: tuple[ProductPlan, ...]
    rebuild: tuple[str, ...]
    warnings: tuple[str, ...]
    digest: str

    @property
    def refused(self) -> bool:
        """Tell whether something would not be published."""
        return any(product.refusals for product in self.products)


def make_plan(
    before: Mapping[str, Version],
    target: Target,
    against: str,
    only: frozenset[str] | None = None,
) -> Plan:
    """Return what publishing the mesh would change.

    Args:
        before: what consumers read now, by qualified name.
        target: what would be published.
        against: what `before` is, for people.
        only: the products to plan; all if None.
    """
    after = {product.qualified_name: product for product in target.mesh.products}
    plans: list[ProductPlan] = []
    for name in dict.fromkeys([*after, *before]):
        if only is not None and name not in only:
            continue
        old, new = before.get(name), after.get(name)
        if old is None and new is not None and new.status == "retired":
            continue  # it has ended
        both = (old.transform if old else "", target.transforms.get(name, ""))
        changes = compare(old.product if old else None, new, both)
        if changes:
            plans.append(_product_plan(name, old.product if old else None, changes, target))
    every = [change for plan in plans for change in plan.changes]
    rebuild = _rebuild(target.products, {plan.product for plan in plans})
    return Plan(against, tuple(plans), rebuild, deprecations(target), digest(every))


def _product_plan(
    name: str, before: Product | None, changes: tuple[Change, ...], target: Target
) -> ProductPlan:
    after = next((one for one in target.mesh.products if one.qualified_name == name), None)
    known = after or before
    approvals = target.approvals(known) if known else ()
    spent = target.spent(name)
    refusals = change_reasons(before, after, approvals, spent)
    needed = to_approve(before, changes) if before else ()
    return ProductPlan(
        product=name,
        state="added" if before is None else "removed" if after is None else "changed",
        changes=changes,
        versions=_versions(before, after, changes),
        consumers=tuple(dict.fromkeys(_consumers(target, changes))),
        refusals=(
            *refusals,
            *still_read(target.products, target.origins, changes, before),
            *left_behind(target.products, target.origins, before, after),
        ),
        rewrites=tuple(dict.fromkeys(rewrite(change) for change in needed)),
        approval=to_be_approved(needed, spent(digest(needed))) if needed else "",
        unexecuted=coverage(after).unexecuted if after else (),
    )


def _versions(
    before: Product | None, after: Product | None, changes: Iterable[Change]
) -> tuple[tuple[str, str, str, Bump, Bump], ...]:
    if before is None or after is None:
        return ()
    old = {port.address: port.contract.version for port in before.outputs}
    found = []
    for port in after.outputs:
        own = [one for one in changes if one.port == port.address and one.kind != "version"]
        was, now = old.get(port.address), port.contract.version
        if was is not None and (own or was != now):
            found.append((str(port.address), was, now, required(own), bump_of(was, now)))
    return tuple(found)


def _consumers(target: Target, changes: Iterable[Change]) -> Iterable[Consumer]:
    wanted: dict[Address, set[str]] = {}
    for one in changes:
        felt = one.compatibility is Compatibility.BREAKING or one.one_way
        if one.port is not None and felt:
            wanted.setdefault(one.port, set()).update(one.columns or ("*",))
    for address, columns in wanted.items():
        for name in target.exposures(address):
            yield Consumer(name, "", address, ("*",), certain=False)
        for product in readers(target.products, address):
            origin = target.origins.get(product.qualified_name, "")
            for consumer in _uses(product, address, columns, target.lineage(product)):
                yield replace(consumer, origin=origin)


def _uses(
    product: Product, address: Address, columns: set[str], lineage: Lineage
) -> Iterable[Consumer]:
    (name, *_) = (port.name for port in product.inputs if port.address == address)
    named = columns - {"*"}
    for port in product.outputs:
        key = (port.name, name)
        if key not in lineage.used and lineage.used:
            continue  # this port is built without the input
        reader, used = str(port.address), lineage.used.get(key)
        if "*" in columns:
            yield Consumer(reader, product.qualified_name, address, ("*",), certain=True)
        hit = named if used is None else used & named
        if hit:
            certain = used is not None
            yield Consumer(reader, product.qualified_name, address, tuple(sorted(hit)), certain)
    checked = lineage.checked.get(name, frozenset()) & columns
    if checked:
        reader = f"{product.qualified_name} (checks on its input)"
        yield Consumer(
            reader, product.qualified_name, address, tuple(sorted(checked)), certain=True
        )


def _rebuild(products: tuple[Product, ...], changed: set[str]) -> tuple[str, ...]:
    """Return the changed products and everybody downstream, in the order given."""
    dirty = {
        port.address
        for product in products
        if product.qualified_name in changed
        for port in product.outputs
    }
    found = {p.qualified_name for p in products if p.qualified_name in changed}
    while True:
        more = [
            product
            for product in products
            if product.qualified_name not in found
            and product.status in ACTIVE
            and any(port.address in dirty for port in product.inputs)
        ]
        if not more:
            return tuple(p.qualified_name for p in products if p.qualified_name in found)
        for product in more:
            found.add(product.qualified_name)
            dirty |= {port.address for port in product.outputs}


def deprecations(target: Target) -> tuple[str, ...]:
    """Return what the readers of deprecated ports should know."""
    return tuple(
        f"{consumer.qualified_name} reads {port.address}: {notice}"
        for product in target.mesh.products
        for port in product.outputs
        if (notice := deprecation(product.status, port))
        for consumer in readers(target.products, port.address)
    )
