"""What is held now: asked before anything is built, launched or called late."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dataops_mesh.errors import MeshError
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import code_version
from dataops_mesh.run.inputs.bind import pin_inputs
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.hold import INPUTS, UNKNOWN, Facts, Hold, Holds, held, held_problem
from dataops_mesh.store.holding import inputs_digest
from dataops_mesh.store.release import Release, latest
from dataops_mesh.store.removing.withdrawal import withdrawal_of

_TO_LIFT = "; to lift it: "


def hold_on(
    product: Product,
    release: Release,
    partition: str,
    inputs: Callable[[], str],
    rows: str = UNKNOWN,
) -> Hold | None:
    """Return what would keep the product, or a partition of it, from being published now.

    Args:
        product: as it is declared at this moment.
        release: whose holds count.
        partition: its key; empty for a product that is published whole.
        inputs: returns a digest of what it would read; only asked where that can end a hold.
        rows: a digest of what was built, if it was.
    """
    mine = [port.address for port in product.outputs if port.address in release.holds]
    if not mine:
        return None
    ends = any(hold.until == INPUTS for address in mine for hold in release.holds[address])
    facts = Facts(partition, code_version(product), inputs() if ends else UNKNOWN, rows)
    return held(release.holds, mine, [facts])


def hold_on_product(
    product: Product, environment: Environment, release: Release | None = None
) -> Hold | None:
    """Return what keeps a product that is published whole from being published now.

    Args:
        product: as it is declared at this moment.
        environment: whose store and settings count.
        release: the current one, where many products are asked about.
    """
    release = release or latest(environment.store)
    return hold_on(product, release, "", lambda: read_now(product, environment, release))


def hold_reason(hold: Hold) -> str:
    """Return why nothing is built: who, since when, why, and how to lift it."""
    problem = held_problem(hold)
    return f"{problem.what}{_TO_LIFT}{problem.next}"


def is_stopped(reasons: Iterable[str]) -> bool:
    """Tell whether a run was stopped by nothing but a hold."""
    said = list(reasons)
    return bool(said) and all(_TO_LIFT in reason for reason in said)


def is_lifted(reasons: Iterable[str], product: Product, release: Release) -> bool:
    """Tell whether a run was stopped by nothing but a hold, and that one is gone.

    Args:
        reasons: why the run did not publish.
        product: what was run.
        release: the current one.
    """
    known = {
        hold_reason(h) for port in product.outputs for h in release.holds.get(port.address, ())
    }
    said = list(reasons)
    return is_stopped(said) and not known.intersection(said)


def holds_behind(product: Product, release: Release) -> tuple[Hold, ...]:
    """Return the holds on the product, and on what it reads, however far up."""
    if not release.holds:
        return ()
    own = [port.address for port in product.outputs]
    read = [port.address for port in product.inputs if port.address is not None]
    waiting, seen = [str(address) for address in (*own, *read)], dict[str, None]()
    while waiting:
        address = waiting.pop(0)
        if address not in seen:
            seen[address] = None
            waiting += _reads(release, Address.parse(address))
    by_name = {str(address): found for address, found in release.holds.items()}
    return _once(hold for address in seen for hold in by_name.get(address, ()))


def holds_by_product(holds: Holds) -> tuple[Hold, ...]:
    """Return each hold once, though it stands on every port of its product."""
    return _once(hold for _, found in sorted(holds.items()) for hold in found)


def gone_inputs(product: Product, release: Release) -> tuple[Hold, ...]:
    """Return the withdrawals of what the product reads: it is not built while they stand."""
    read = [port.address for port in product.inputs if port.address is not None]
    return tuple(hold for one in read if (hold := withdrawal_of(release, one)) is not None)


def _once(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    return tuple({(hold.product, hold.partition): hold for hold in holds}.values())


def _reads(release: Release, address: Address) -> list[str]:
    """Return the addresses that a published port was built from."""
    entry = release.ports.get(address)
    if entry is None:
        return []
    every = (entry.inputs, *(part.inputs for part in entry.parts))
    return sorted({name for inputs in every for name, _ in inputs})


def read_now(
    product: Product, environment: Environment, release: Release, partition: str = ""
) -> str:
    """Return a digest of what the product, or a partition, would read now."""
    try:
        return inputs_digest(pin_inputs(environment.store, product, release, partition).reads)
    except MeshError:  # then there is nothing that it could be built from
        return UNKNOWN
