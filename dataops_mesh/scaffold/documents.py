"""The YAML of products and contracts, and how it comes into a workspace: only where nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.scaffold.text import with_remarks
from dataops_mesh.spec.paths import shown

VENDOR = "dataops_mesh"
VERSION = "1.0.0"


def contract_id(domain: str, port: str) -> str:
    """Return the id of the contract of a port."""
    return f"urn:datacontract:{domain}:{port}"


def contract(
    domain: str, port: str, properties: Iterable[Mapping[str, Any]], *, about: str = "",
    source: bool = False,
) -> dict[str, Any]:  # fmt: skip
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


def as_yaml(document: Mapping[str, Any]) -> str:
    r"""Return a document as people write it.

    >>> print(as_yaml({"a": [{"b": "NO"}], "c": "one\ntwo"}), end="")
    a:
      - b: 'NO'
    c: |-
      one
      two
    """
    import yaml

    class _Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002 - PyYAML's
            super().increase_indent(flow, indentless=False)

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    _Dumper.add_representer(str, text)
    told: str = yaml.dump(
        dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
    return with_remarks(told)


def require_new(files: Iterable[Path], root: Path, then: str) -> None:
    """Make sure that none of the files, and none of the products' folders, is there.

    Args:
        files: to write.
        root: the workspace.
        then: what to do about it.

    Raises:
        DeclarationError: with what is there.
    """
    folders = {file.parent for file in files if file.parent.name != "inputs"}
    there = sorted(folder for folder in folders if folder.exists())
    if there:
        raise DeclarationError(
            Problem(f"{shown(folder, root)} is there, and is not overwritten", next=then)
            for folder in there
        )


def write(files: Mapping[Path, str]) -> None:
    """Write new files."""
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
