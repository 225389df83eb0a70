"""The column lineage of a product, from its transform as it lies in the workspace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from dataops_mesh.errors import DeclarationError, MeshError
from dataops_mesh.plan.lineage import Lineage, lineage_of
from dataops_mesh.run.dbt import parsed_manifest
from dataops_mesh.run.dbt_project import is_dbt
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.model import Address, OutputPort, Product

Known = dict[Path, Product | None]


def product_lineage(
    product: Product, ports: Mapping[Address, OutputPort], dbt_cache: Path
) -> Lineage:
    """Return what is known of a product's columns; whatever fails, less is known."""
    manifest = None
    if is_dbt(product):
        try:
            file = parsed_manifest(product, dbt_cache)
            manifest = json.loads(file.read_text("utf-8"))
        except (MeshError, OSError, ValueError):
            manifest = None
    return lineage_of(product, ports, manifest)


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
        known: products that are loaded already, by folder; what is loaded here joins them.
    """
    known = {} if known is None else known
    found: dict[Address, tuple[Product, OutputPort]] = {}
    for address in dict.fromkeys(port.address for port in product.inputs if port.address):
        for file in _contracts(domains, address):
            owner = _load(file.parent, root, known)
            if owner is not None:
                found.update({port.address: (owner, port) for port in owner.outputs})
    return found


def _load(folder: Path, root: Path, known: Known) -> Product | None:
    if folder not in known:
        try:
            known[folder] = load_product(folder, root)
        except (DeclarationError, OSError):
            known[folder] = None
    return known[folder]


def _contracts(domains: Path, address: Address) -> Iterable[Path]:
    return sorted((domains / address.domain).glob(f"*/{address.port}.odcs.yaml"))
