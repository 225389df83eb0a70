"""dbt's exposures: dashboards and notebooks that read a product's ports, and who owns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataops_mesh.spec.model import Address, Product
from dataops_mesh.transform.dbt_project import called_names


@dataclass(frozen=True, slots=True)
class Exposure:
    """What reads published data outside the mesh.

    Args:
        name: in its project.
        kind: dashboard, notebook, analysis, ml or application.
        owner: a name or an e-mail.
        url: where it is.
        description: what it is for.
        reads: the ports of the product that it depends on.
    """

    name: str
    kind: str
    owner: str
    url: str
    description: str
    reads: tuple[Address, ...]

    def __str__(self) -> str:
        """Return what people call it."""
        return f"{self.kind} {self.name}{f' of {self.owner}' if self.owner else ''}"


def exposures_of(
    product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]
) -> tuple[Exposure, ...]:
    """Return the exposures of a project that read ports of the product, by name."""
    called = called_names(product, manifest, frozenset(nodes))
    ports = {port.address.port: port.address for port in product.outputs}
    found = []
    for one in manifest.get("exposures", {}).values():
        needed = one.get("depends_on", {}).get("nodes", ())
        reads = {ports[called[node]] for node in needed if called.get(node) in ports}
        if reads:
            owner = one.get("owner") or {}
            found.append(
                Exposure(
                    name=str(one["name"]),
                    kind=str(one.get("type") or "exposure"),
                    owner=str(owner.get("name") or owner.get("email") or ""),
                    url=str(one.get("url") or ""),
                    description=str(one.get("description") or ""),
                    reads=tuple(sorted(reads, key=str)),
                )
            )
    return tuple(sorted(found, key=lambda one: one.name))
