"""The column lineage of a product, from its transform as it lies in the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, MeshError
from dataops_mesh.plan.lineage.product import Lineage, lineage_of
from dataops_mesh.spec.loader import Load, load_product
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.transform.dbt.project import is_dbt
from dataops_mesh.transform.dbt.reading import manifest_of, parsed_manifest
from dataops_mesh.transform.walls import Walls


class Known:
    """Products that are loaded already, so that each is read once.

    Args:
        products: of the domain that is loading.
        load: reads another one.
    """

    def __init__(self, products: Iterable[Product] = (), load: Load = load_product) -> None:
        self._load = load
        self._folders: dict[Path, Product | None] = {}
        self._owners: dict[Address, Product] = {}
        for product in products:
            self._add(product.folder, product)

    def owner(self, address: Address, domains: Path, root: Path) -> Product | None:
        """Return the product that declares a port; None if nobody does, or not validly."""
        if address not in self._owners:
            # A file that declares several ports is named otherwise.
            for pattern in (f"*/{address.port}.odcs.yaml", "*/*.odcs.yaml"):
                for file in sorted((domains / address.domain).glob(pattern)):
                    if file.parent not in self._folders and address not in self._owners:
                        self._add(file.parent, self._read(file.parent, root))
        return self._owners.get(address)

    def _read(self, folder: Path, root: Path) -> Product | None:
        try:
            return self._load(folder, root)
        except (DeclarationError, OSError):
            return None

    def _add(self, folder: Path, product: Product | None) -> None:
        self._folders[folder] = product
        if product is not None:
            self._owners.update({port.address: product for port in product.outputs})


def product_lineage(product: Product, ports: Mapping[Address, OutputPort], walls: Walls) -> Lineage:
    """Return what is known of a product's columns; whatever fails, less is known."""
    manifest = dbt_manifest(product, walls)
    try:
        return lineage_of(product, ports, manifest)
    except (LookupError, TypeError):  # a manifest of another form than the one dbt writes today
        return lineage_of(product, ports)


def dbt_manifest(product: Product, walls: Walls) -> Mapping[str, Any] | None:
    """Return the manifest of a product that dbt builds; None if there is none to read."""
    if not is_dbt(product):
        return None
    try:
        return manifest_of(parsed_manifest(product, walls))
    except (MeshError, OSError, ValueError):
        return None


def upstream_ports(
    product: Product, domains: Path, root: Path, known: Known | None = None
) -> dict[Address, tuple[Product, OutputPort]]:
    """Return the ports that a product reads and that are declared in this workspace.

    Only their own folders are read, and one that is not valid is left out: a neighbour's
    mistake must not keep a domain from loading.

    Args:
        product: who reads.
        domains: the folder of domains.
        root: the workspace.
        known: products that are loaded already; what is loaded here joins them.
    """
    known = known or Known()
    found: dict[Address, tuple[Product, OutputPort]] = {}
    for address in dict.fromkeys(port.address for port in product.inputs if port.address):
        owner = known.owner(address, domains, root)
        if owner is not None:
            found.update({port.address: (owner, port) for port in owner.outputs})
    return found
