"""Tiny real meshes in a folder, shared by all tests.

    settings = write_workspace(tmp_path, {"shop": {"orders": a_product(
        ports={"orders": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n"},
    )}})
    report = run(settings, "shop.orders")
    assert read(settings, "select id from shop.orders") == [(1,)]

In every text `@domain` and `@product` stand for the names of the folders.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from dataops_mesh.engine.read import connect
from dataops_mesh.ledger import ProductStatus, status
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.run.product import run_product
from dataops_mesh.run.record import open_record
from dataops_mesh.run.report import Report
from dataops_mesh.run.word.hold import lift_hold
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import load_mesh, load_product
from dataops_mesh.spec.model import Mesh, Product
from dataops_mesh.store.log import latest
from dataops_mesh.watch.slo import Slo, slo_of

Files = Mapping[str, str | bytes]

PYPROJECT = """\
[tool.dataops_mesh]
memory_limit = "500MB"
threads = 1
person = "ana"
"""


def write_workspace(
    root: Path, domains: Mapping[str, Mapping[str, Files]], *, settings: str = ""
) -> Settings:
    """Write a workspace and return its settings.

    Args:
        root: an empty folder.
        domains: domain -> product -> the product's files, as `a_product` returns them.
        settings: more lines for `[tool.dataops_mesh]`.
    """
    (root / "pyproject.toml").write_text(PYPROJECT + dedent(settings), "utf-8")
    (root / "domains").mkdir(exist_ok=True)
    for domain, products in domains.items():
        for product, content in products.items():
            write_product(root, domain, product, content)
    return load_settings(root)


def write_product(root: Path, domain: str, product: str, files: Files) -> Path:
    """Write or overwrite the files of one product and return its folder."""
    folder = root / "domains" / domain / product
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            named = content.replace("@domain", domain).replace("@product", product)
            path.write_text(named, "utf-8")
    return folder


def a_product(
    ports: Mapping[str, Sequence[str] | str],
    *,
    files: Files,
    inputs: Iterable[str] = (),
    settings: str = "",
    extra: str = "",
) -> dict[str, str | bytes]:
    """Return the files of a product.

    Args:
        ports: port -> the YAML flow mappings of its columns, or a whole contract.
        files: transforms and sources, by file name.
        inputs: entries made by `a_source` and `an_input`.
        settings: the entries of `customProperties`, for example `a_setting(...)`.
        extra: more top-level keys of the product.
    """
    text = "apiVersion: v1.1.0\nkind: DataProduct\nid: urn:dataproduct:@domain:@product\n"
    text += dedent(extra)
    listed = "".join(inputs)
    if listed:
        text += "inputPorts:\n" + indent(listed, "  ")
    if settings:
        text += "customProperties:\n" + indent(settings, "  ")
    contracts = {
        f"{port}.odcs.yaml": columns if isinstance(columns, str) else a_contract(port, columns)
        for port, columns in ports.items()
    }
    return {"product.odps.yaml": text, **contracts, **files}


def a_contract(port: str, columns: Sequence[str], *rules: str, extra: str = "") -> str:
    """Return a contract; columns and rules are YAML flow mappings."""
    head = (
        "apiVersion: v3.2.0\nkind: DataContract\n"
        f"id: urn:datacontract:@domain:{port}\nversion: 1.0.0\n"
    )
    lines = [f"schema:\n  - name: {port}\n    properties:\n"]
    lines += [f"      - {column}\n" for column in columns]
    if rules:
        lines += ["    quality:\n", *(f"      - {rule}\n" for rule in rules)]
    return head + dedent(extra) + "".join(lines)


def a_source(name: str, path: str, *expectations: str, more: str = "") -> str:
    """Return an input port that reads files; `more` continues the source's flow mapping."""
    source = a_setting("source", f"{{path: {path}{', ' + more if more else ''}}}")
    return _port(name, source + _expectations(expectations))


def an_input(address: str, *expectations: str) -> str:
    """Return an input port that reads a published port."""
    return _port(address, _expectations(expectations))


def a_setting(name: str, value: str) -> str:
    """Return an entry of `customProperties`."""
    return f"- {{property: {name}, vendor: dataops_mesh, value: {value}}}\n"


def mesh(settings: Settings) -> Mesh:
    """Load all declarations."""
    return load_mesh(settings.root, settings.domains)


def product(settings: Settings, name: str) -> Product:
    """Load one product by `domain.product`."""
    domain, _, own = name.partition(".")
    return load_product(settings.domains_folder / domain / own, settings.root)


def environment(settings: Settings) -> Environment:
    """Open the store."""
    return open_environment(settings)


def run(settings: Settings, name: str, run_id: str = "") -> Report:
    """Run one product, as it is declared at this moment."""
    own = run_id or uuid.uuid4().hex[:12]
    return run_product(product(settings, name), environment(settings), run_id=own)


def roll_back(
    settings: Settings, name: str, to: int | None = None, reason: str = "", until: str = ""
) -> int:
    """Roll one product back and return the new release's number."""
    found = product(settings, name)
    return rollback_product(found, environment(settings), to, reason, until=until).number


def lift(settings: Settings, name: str) -> int:
    """End what a rollback holds and return the new release's number."""
    return lift_hold(name, environment(settings), "mended").number


def read(settings: Settings, query: str, release: int | None = None) -> list[tuple[Any, ...]]:
    """Ask published data, as a consumer would."""
    with connect(settings.store_folder, release) as published:
        return published.execute(query).fetchall()


def product_status(place: Environment) -> dict[str, ProductStatus]:
    """Return what the ledger says of every product that ever ran, by name."""
    with open_record(place) as ledger:
        return {found.product: found for found in status(ledger)}


def slos(products: Iterable[Product], place: Environment) -> dict[str, Slo]:
    """Return how each product keeps its promises, each looked at by itself."""
    now, release = datetime.now(UTC), latest(place.store)
    with open_record(place) as ledger:
        return {one.qualified_name: slo_of(one, ledger, now, release) for one in products}


def _port(name: str, settings: str) -> str:
    head = f"- name: {name}\n"
    return head + ("  customProperties:\n" + indent(settings, "    ") if settings else "")


def _expectations(rules: Sequence[str]) -> str:
    if not rules:
        return ""
    listed = "".join(f"    - {rule}\n" for rule in rules)
    return "- property: expectations\n  vendor: dataops_mesh\n  value:\n" + listed
