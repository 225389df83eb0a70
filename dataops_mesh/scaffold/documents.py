"""Products and contracts as documents of the two standards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

VENDOR = "dataops_mesh"
VERSION = "1.0.0"


def contract_id(domain: str, port: str) -> str:
    """Return the id of the contract of a port."""
    return f"urn:datacontract:{domain}:{port}"


def contract(
    domain: str,
    port: str,
    properties: Iterable[Mapping[str, Any]],
    *,
    about: str = "",
    source: bool = False,
) -> dict[str, Any]:
    """Return a contract (ODCS) of one object.

    Args:
        domain: the port's.
        port: its name.
        properties: its columns.
        about: what it is, in a sentence.
        source: it is that of a source, whose id is another.
    """
    made: dict[str, Any] = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": contract_id(domain, f"{port}:delivered" if source else port),
        "name": f"{domain}.{port}",
        "version": VERSION,
        "status": "active",
        "domain": domain,
    }
    if about:
        made["description"] = {"purpose": about}
    table = {"name": port, "physicalType": "table"} | ({"description": about} if about else {})
    made["schema"] = [{**table, "properties": list(properties)}]
    return made


def product(domain: str, name: str, **parts: Any) -> dict[str, Any]:
    """Return a product (ODPS); parts that are empty are left out."""
    made = {
        "apiVersion": "v1.1.0",
        "kind": "DataProduct",
        "id": f"urn:dataproduct:{domain}:{name}",
        "name": name.replace("_", " "),
        "version": VERSION,
        "status": "active",
        "domain": domain,
    }
    return made | {key: value for key, value in parts.items() if value}


def setting(name: str, value: Any) -> dict[str, Any]:
    """Return an entry of `customProperties` of ours."""
    return {"property": name, "vendor": VENDOR, "value": value}
