"""What to type about something that is wrong, the most useful first."""

from __future__ import annotations

from dataops_mesh.ledger.trouble.incidents import DAMAGED, Incident
from dataops_mesh.run.look import look_command
from dataops_mesh.spec.model import Product
from dataops_mesh.watch.copies import EXPORT
from dataops_mesh.watch.trouble import CAUGHT


def first_command(kind: str, product: Product | None, refused: tuple[str, int] = ("", 0)) -> str:
    """Return the command that shows or mends a trouble of this kind, if there is one of its own.

    Args:
        kind: of the incident.
        product: as it is declared here, if it is.
        refused: the candidate that the gate refused, and its rows.
    """
    if product is None:
        return ""
    if kind == CAUGHT and refused[0]:
        return look_command(product.outputs[0].address, *refused)
    mends = {EXPORT: "mesh export", DAMAGED: "mesh run"}.get(kind)
    return f"{mends} {product.qualified_name}" if mends else ""


def commands_of(incident: Incident, first: str, *, seen: bool) -> tuple[str, ...]:
    """Return all that can be typed about an incident.

    Args:
        incident: the incident.
        first: what shows or mends it.
        seen: somebody looks at it already.
    """
    name, product = incident.incident, incident.trouble.product
    said = f'unack {name} --reason "..."' if seen else f'ack {name} --until 4h --reason "..."'
    then = () if incident.trouble.kind == EXPORT else (f"mesh run {product}",)
    every = (
        first,
        f"mesh incident {said}",
        f"mesh show {name}",
        f"mesh show {product} --history",
        *then,
    )
    return tuple(dict.fromkeys(one for one in every if one))
