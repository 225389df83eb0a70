"""What a CEL expression sees of a product: the ODPS document with its ODCS documents inside."""

from __future__ import annotations

from typing import Any

from dataops_mesh.spec.model import Product


def declaration(product: Product) -> dict[str, Any]:
    """Return the product as ODPS has it; each of `outputPorts` has its ODCS document as `contract`.

    What folders and files say is filled in: `domain`, `name` of the product and of its ports, and
    `status`, `version`, `inputPorts` where the document leaves them to their defaults.
    """
    data = product.document.data if product.document else {}
    listed = {entry.get("name"): entry for entry in data.get("outputPorts", ())}
    ports = [
        {
            "version": port.version,
            **listed.get(port.name, {}),
            "name": port.name,
            "contract": port.contract.document.data if port.contract.document else {},
        }
        for port in product.outputs
    ]
    return {
        "domain": product.domain,
        "name": product.name,
        "status": product.status,
        "version": product.version,
        "inputPorts": [],
        **data,
        "outputPorts": ports,
    }
