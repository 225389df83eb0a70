"""Who reads a port unmasked: the roles of its contract that say so."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.errors import Location, Problem, did_you_mean
from dataops_mesh.spec.model import Contract, OutputPort, Product, Role


def opened_columns(contract: Contract) -> tuple[str, ...]:
    """Return the masked columns that some role reads as they are, in the contract's order."""
    opened = {name for role in contract.roles for name in role.unmasked}
    return tuple(one.name for one in contract.columns if one.name in opened and one.mask)


def opened_by(contract: Contract, role: str) -> tuple[str, ...]:
    """Return the masked columns that one role reads as they are."""
    said = next((one.unmasked for one in contract.roles if one.role == role), ())
    return tuple(name for name in opened_columns(contract) if name in said)


def is_member(role: Role, *names: str) -> bool:
    """Tell whether a role names a person or a product.

    >>> is_member(Role("fraud", "read", ("mail",), ("billing.*", "ann")), "billing.refunds")
    True
    """
    domains = {f"{name.partition('.')[0]}.*" for name in names if "." in name}
    return bool({*names, *domains} & {*role.members})


def reads_unmasked(product: Product) -> bool:
    """Tell whether the product reads a port by a role."""
    return any(port.role for port in product.inputs)


def unopened(
    port: OutputPort, name: str, who: str, where: Location | None = None
) -> Iterator[Problem]:
    """Yield a problem if a port has no role of that name, or it does not read for who asks.

    Args:
        port: as it is declared, or was published.
        name: the role.
        who: a product or a person.
        where: the line that asks.
    """
    address, key = port.address, "role" if where else ""
    opening = {one.role: one for one in port.contract.roles if one.unmasked}
    file = port.contract.where.file
    role = opening.get(name)
    if role is None:
        what = f'{address} has no role "{name}" that reads unmasked{did_you_mean(name, opening)}'
        then = f"read it masked, or ask {address.domain} for such a role in {file}"
        yield Problem(what, where, key, tuple(opening), then)
    elif not is_member(role, who):
        what = f'{who} is no member of the role "{name}" of {address}'
        asked = ", ".join(role.approvers) or address.domain
        then = f"ask {asked} to add it to `members` in {file}, or read it masked"
        yield Problem(what, where, key, next=then)
