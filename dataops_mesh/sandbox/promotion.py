"""Promotion: what was built in a sandbox becomes what everybody reads, by a commit like any other.

Nothing is built again. So everything that would make a build come out otherwise must be as it was:
what it read, its code and contracts, the policies, the clock. Else it says what went stale.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataops_mesh.errors import ConflictError, MeshError, Problem, UnknownNameError
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.declaration import publication_reasons, spend_approval
from dataops_mesh.run.due import own_content
from dataops_mesh.run.environment import Environment, on_line
from dataops_mesh.run.guards.classes import class_reasons
from dataops_mesh.run.guards.former import Building
from dataops_mesh.run.guards.remasked import mask_reasons
from dataops_mesh.run.guards.roles import role_reasons
from dataops_mesh.run.guards.visible import invisible_reasons
from dataops_mesh.run.identity import person_or_user
from dataops_mesh.run.partition import chosen
from dataops_mesh.run.record import record_run
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.sandbox.promotable import marks, outdated
from dataops_mesh.spec.checks.derive import serializes
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.spec.names import is_own
from dataops_mesh.store.line.promote import (
    Promotion,
    changes_of,
    manifests_of,
    only,
    planned,
    require_fresh,
)
from dataops_mesh.store.line.refresh import base_of
from dataops_mesh.store.log import Release, latest, ports_of
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.release import MovedError, Promoting, commit
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.ports import Ports
from dataops_mesh.transform.walls import walls_of

PROMOTE = "promote"


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did.

    Args:
        release: of the line that it was promoted to.
        plan: what it switched there.
        products: whose ports these are.
    """

    release: Release
    plan: Promotion
    products: tuple[str, ...]


def target_of(store: Store, environment: Environment) -> Environment:
    """Return the environment of the line that a sandbox was opened from."""
    line = base_of(latest(store)).line
    return Environment(store.on(line), on_line(environment.settings, line))


def promote(
    store: Store,
    environment: Environment,
    products: Mapping[str, Product],
    names: Collection[str],
    reason: str,
) -> Promoted:
    """Publish what was built in a sandbox on the line that it was opened from; all or none.

    Args:
        store: the store, on the line of the sandbox.
        environment: the store and the settings, of any line.
        products: what the workspace declares now, by qualified name.
        names: only these products; all that were built if empty.
        reason: why, for the record.

    Raises:
        ConflictError: something of it is not current any more; it says what, and what to do.
        UnknownNameError: nothing was built of what was named.
        HeldError: somebody holds it there.
        OwnershipError: a domain belongs to another repository.
    """
    target = target_of(store, environment)
    run_id = f"{PROMOTE}-{uuid.uuid4().hex[:12]}"
    with pinned(store) as mine:
        record_operation(
            target,
            PROMOTE,
            sorted(names) or [store.sandbox],
            reason=reason,
            origin=f"{store.line}:{mine.number}",
            run_id=run_id,
        )
        while True:
            try:
                promoted = _once(store, mine, target, products, names, (run_id, reason))
            except MovedError:  # somebody published meanwhile: look again
                continue
            break
    record_run(target)
    return promoted


def _once(  # noqa: PLR0913, PLR0917 - a step of `promote`
    store: Store,
    mine: Release,
    target: Environment,
    products: Mapping[str, Product],
    names: Collection[str],
    asked: tuple[str, str],
) -> Promoted:
    theirs = latest(target.store)
    plan = _plan(store, mine, theirs, products, names, target)
    manifests = manifests_of(store, plan)
    found = _declared(manifests.values(), products)
    problems = [
        *(problem for one in manifests.values() for problem in marks(one, target.settings)),
        *outdated(manifests.values(), found, target),
    ]
    for product in found.values():
        problems += [Problem(why) for why in publication_reasons(product, target, theirs)]
        problems += [Problem(why) for why in invisible_reasons(product, target, theirs)]
        keys = {m.partition for m in manifests.values() if m.product == product.qualified_name}
        built = Building(frozenset(keys))  # what it read of its own was judged where it was built
        problems += [Problem(why) for why in class_reasons(product, target, theirs, built)]
        problems += [Problem(why) for why in mask_reasons(product, target, theirs, built)]
        problems += [Problem(why) for why in role_reasons(product, target, theirs)]
    if problems:  # of a product in partitions, each says the same
        raise ConflictError(dict.fromkeys(problems))
    last = {manifest.product: ref for ref, manifest in manifests.items()}
    for name, product in found.items():
        spend_approval(product, target, theirs, last[name])

    def guard(after: Release) -> None:
        _require_current(manifests.values(), found, after, target, store.sandbox)

    run_id, reason = asked
    release = commit(
        target.store,
        theirs,
        changes_of(plan, manifests),
        run_id=run_id,
        person=person_or_user(target.settings.person),
        publisher=publisher_of(target),
        reason=reason,
        promoting=Promoting(f"{store.line}:{mine.number}", theirs.number, guard),
    )
    return Promoted(release, plan, tuple(sorted(found)))


def _plan(  # noqa: PLR0913, PLR0917 - a step of `_once`
    store: Store,
    mine: Release,
    theirs: Release,
    products: Mapping[str, Product],
    names: Collection[str],
    target: Environment,
) -> Promotion:
    ports: set[Address] = set()
    serial: set[Address] = set()
    walls = walls_of(target.settings)
    for name, product in products.items():
        own = {port.address for port in product.outputs}
        if product.partitioning and any(map(serializes, all_checks(product, walls))):
            serial |= own
        if not names or name in names or product.domain in names:
            ports |= own
    plan = planned(Ports(store.root, base_of(mine).nodes), ports_of(mine), ports_of(theirs), serial)
    if names:
        plan = only(plan, ports)
    require_fresh(plan, store.sandbox)
    if not plan.refs:
        what = f"nothing in {store.sandbox} is to be promoted"
        already = sorted({str(address) for address, _ in plan.current})
        if already:
            what += f": {', '.join(already)} is there already"
        raise UnknownNameError(Problem(what, next=f"mesh sandbox diff {store.sandbox}"))
    return plan


def _declared(
    manifests: Sequence[Manifest] | Collection[Manifest], products: Mapping[str, Product]
) -> dict[str, Product]:
    names = sorted({manifest.product for manifest in manifests})
    problems = [
        Problem(f"{name} is not declared in this workspace", next="promote it from its repository")
        for name in names
        if name not in products
    ]
    if problems:
        raise ConflictError(problems)
    return {name: products[name] for name in names}


def _require_current(
    manifests: Collection[Manifest],
    products: Mapping[str, Product],
    after: Release,
    target: Environment,
    sandbox: str,
) -> None:
    """Make sure that everything was built from what the line would show after the promotion."""
    then = f"mesh sandbox refresh {sandbox}, then mesh sandbox run {sandbox} --changed"
    problems = [
        Problem(f"{_name(manifest)} was built from {what}", next=then)
        for manifest in manifests
        for what in _stale_inputs(manifest, products[manifest.product], after, target)
    ]
    if problems:
        raise ConflictError(problems)


def _stale_inputs(
    manifest: Manifest, product: Product, after: Release, target: Environment
) -> Iterator[str]:
    if manifest.partition and manifest.own:
        # What is the partition's own decides, as it does when it is told what is due.
        piece = chosen(product, manifest.partition, target.settings.clock())
        try:
            now = own_content(product, piece, after, target.store) if piece else ""
        except MeshError:
            now = ""
        if now != manifest.own:
            yield "other inputs than there are now"
        return
    for read in manifest.inputs:
        if read.address is None or is_own(read.name):  # of its own last one the commit makes sure
            continue
        entry = after.ports.get(read.address)
        if entry is None:
            yield f"{read.address}, which is not published there"
        elif entry.form(read.role) != read.fingerprint:
            yield f"another state of {read.address} than is published there"


def _name(manifest: Manifest) -> str:
    piece = f"partition {manifest.partition} of " if manifest.partition else ""
    return f"{piece}{manifest.product}"
