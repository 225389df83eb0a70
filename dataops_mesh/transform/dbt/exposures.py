"""dbt's exposures: dashboards and notebooks that read published ports, and who owns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataops_mesh.spec.model import Address, Product
from dataops_mesh.transform.dbt.project import below, called_names


@dataclass(frozen=True, slots=True)
class Exposure:
    """What reads published data outside the mesh.

    Args:
        name: in its project.
        kind: dashboard, notebook, analysis, ml or application.
        owner: a name or an e-mail.
        url: where it is.
        description: what it is for.
        reads: the ports that it depends on, of the product or what the product reads.
        inner: the models that it depends on and that nobody can read: they are not published.
    """

    name: str
    kind: str
    owner: str
    url: str
    description: str
    reads: tuple[Address, ...]
    inner: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what people call it."""
        return f"{self.kind} {self.name}{f' of {self.owner}' if self.owner else ''}"


def exposures_of(
    product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]
) -> tuple[Exposure, ...]:
    """Return the exposures of a project that read what is published, by name.

    A metric or a saved query stands for the models that it is made of.
    """
    called = called_names(product, manifest, frozenset(nodes))
    ports = {port.address.port: port.address for port in product.outputs}
    inputs = {port.address for port in product.inputs if port.address is not None}
    found = []
    for one in manifest.get("exposures", {}).values():
        needed = _tables(one, manifest)
        reads = {ports[called[node]] for node in needed if called.get(node) in ports}
        sources = (manifest["sources"][node] for node in needed if node in manifest["sources"])
        reads |= inputs & {Address(str(n["schema"]), str(n["identifier"])) for n in sources}
        inner = {called[node] for node in needed if node in called and called[node] not in ports}
        if reads or inner:
            owner = one.get("owner") or {}
            found.append(
                Exposure(
                    name=str(one["name"]),
                    kind=str(one.get("type") or "exposure"),
                    owner=str(owner.get("name") or owner.get("email") or ""),
                    url=str(one.get("url") or ""),
                    description=str(one.get("description") or ""),
                    reads=tuple(sorted(reads, key=str)),
                    inner=tuple(sorted(inner)),
                )
            )
    return tuple(sorted(found, key=lambda one: one.name))


def _tables(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> set[str]:
    """Return the models and sources that a node depends on, through metrics and the like."""
    between = {
        key: one
        for kind in ("metrics", "semantic_models", "saved_queries")
        for key, one in manifest.get(kind, {}).items()
    }
    found, seen, waiting = set[str](), set[str](), list(below(node))
    while waiting:
        key = waiting.pop()
        if key not in between:
            found.add(key)
        elif key not in seen:
            seen.add(key)
            waiting += below(between[key])
    return found
