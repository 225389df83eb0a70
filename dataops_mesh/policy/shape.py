"""What a CEL expression sees of a product: the ODPS document with its ODCS documents inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataops_mesh.spec.model import Address, OutputPort, Product


def declaration(product: Product, read: Mapping[Address, OutputPort]) -> dict[str, Any]:
    """Return the product as ODPS has it; each of its ports has its ODCS document as `contract`.

    Of `inputPorts`, those have one that somebody declares, or has published. What folders and files
    say is filled in: `domain`, `name` of the product and of its ports, and `status`, `version`,
    `inputPorts` where the document leaves them to their defaults.
    """
    data = product.document.data if product.document else {}
    listed = {entry.get("name"): entry for entry in data.get("outputPorts", ())}
    ports = [
        {
            "version": port.version,
            **listed.get(port.name, {}),
            "name": port.name,
            "contract": _document(port),
        }
        for port in product.outputs
    ]
    named = {p.name: read[p.address] for p in product.inputs if p.address and p.address in read}
    inputs = [
        {**entry, "contract": _document(named[entry["name"]])}
        if entry.get("name") in named
        else entry
        for entry in data.get("inputPorts", ())
    ]
    return {
        "domain": product.domain,
        "name": product.name,
        "status": product.status,
        "version": product.version,
        **data,
        "inputPorts": inputs,
        "outputPorts": ports,
    }


def _document(port: OutputPort) -> Any:
    return port.contract.document.data if port.contract.document else {}
