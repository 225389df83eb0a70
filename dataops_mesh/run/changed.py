"""What a run would build, and why: what is not as it was published."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.errors import MeshError
from dataops_mesh.run.due import due_partitions
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import code_version
from dataops_mesh.run.inputs.parameters import of_line
from dataops_mesh.run.word.held import read_now
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.hold import UNKNOWN
from dataops_mesh.store.holding import facts_of
from dataops_mesh.store.log import Release, latest
from dataops_mesh.store.manifest import read_manifest


def why_changed(products: Sequence[Product], environment: Environment) -> dict[str, str]:
    """Return the products that differ from what is published, each with the reason.

    Args:
        products: inputs first; what reads a changed one is changed too.
        environment: the store and the settings.
    """
    release = latest(environment.store)
    found: dict[str, str] = {}
    changed: set[Address] = set()
    for product in products:
        above = next((p.address for p in product.inputs if p.address in changed), None)
        why = _why(product, release, environment)
        if not why and above is not None:
            why = f"it reads {above}, which is built"
        if why:
            found[product.qualified_name] = why
            changed |= {port.address for port in product.outputs}
    return found


def _why(product: Product, release: Release, environment: Environment) -> str:
    product = of_line(product, environment)
    entries = [release.ports.get(port.address) for port in product.outputs]
    if not all(entries):
        return "it was never published"
    if product.partitioning is not None:
        due = len(due_partitions(product, environment))
        return f"{due} partition{'s' * (due != 1)} due" if due else ""
    entry = entries[0]
    if entry is None:
        return "it was never published"
    try:
        facts = facts_of(read_manifest(environment.store, entry.candidate))
    except MeshError:
        return "the record of what is published cannot be read"
    if facts.code != code_version(product):
        return "declaration or transform differ from what is published"
    reads = read_now(product, environment, release)
    if reads == UNKNOWN and product.inputs:
        return "what it reads cannot be told"
    return "" if reads == facts.inputs else "what it reads is not what it was built from"
