"""A product that keeps every policy, as text, and the ways to break it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dataops_mesh.policy.evaluate import evaluate
from dataops_mesh.policy.load import load_policies, load_waivers
from dataops_mesh.policy.model import Verdict
from dataops_mesh.spec.loader import load_mesh

TODAY = date(2026, 11, 1)

PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: shop.orders
version: 1.2.0
description:
  purpose: Every order.
  limitations: Orders by telephone are missing.
inputPorts:
  - name: orders_csv
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: orders.csv}}
  - name: desk.tickets
    version: 1.0.0
team: {name: shop, members: [{username: ana@mesh.example, role: owner}]}
support:
  - {channel: shop, url: "mailto:shop@mesh.example"}
"""

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: shop.orders.contract
version: 1.2.0
description: {purpose: One row per order.}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true, classification: public, description: Number.}
      - {name: email, logicalType: string, required: true, classification: pii, criticalDataElement: true, description: Of the customer.}
    quality:
      - {id: enough, metric: rowCount, mustBeGreaterThan: 10}
roles:
  - {role: shop_reader, access: read}
slaProperties:
  - {property: freshness, value: 1, unit: d}
  - {property: retention, value: 1, unit: y}
"""

SQL = "select o.id, o.email from orders_csv o join desk.tickets t on o.id = t.id\n"

TICKETS = {
    "product.odps.yaml": """\
apiVersion: v1.1.0
kind: DataProduct
id: desk.tickets
version: 1.0.0
description: {purpose: Tickets., limitations: None are known.}
inputPorts:
  - name: tickets_csv
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: tickets.csv}}
team: {name: desk}
support: [{channel: desk, url: "mailto:desk@mesh.example"}]
""",
    "tickets.odcs.yaml": """\
apiVersion: v3.2.0
kind: DataContract
id: desk.tickets.contract
version: 1.0.0
description: {purpose: One row per ticket.}
schema:
  - name: tickets
    properties:
      - {name: id, logicalType: integer, primaryKey: true, classification: public, description: Number.}
    quality: [{id: enough, metric: rowCount, mustBeGreaterThan: 0}]
slaProperties:
  - {property: freshness, value: 1, unit: d}
  - {property: retention, value: 1, unit: y}
""",
    "tickets.sql": "select id from tickets_csv\n",
}

FILES = {
    "product": "domains/shop/orders/product.odps.yaml",
    "contract": "domains/shop/orders/orders.odcs.yaml",
    "tickets": "domains/desk/tickets/product.odps.yaml",
}


def write(root: Path, files: dict[str, str] | None = None) -> Path:
    """Write the two products; `files` are other texts or more files, by path."""
    texts = {
        FILES["product"]: PRODUCT,
        FILES["contract"]: CONTRACT,
        "domains/shop/orders/orders.sql": SQL,
        **{f"domains/desk/tickets/{name}": text for name, text in TICKETS.items()},
        **(files or {}),
    }
    (root / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def verdict(root: Path, today: date = TODAY) -> Verdict:
    """Judge a workspace on a day."""
    mesh = load_mesh(root)
    policies = load_policies(root / "policies.yaml", root)
    return evaluate(mesh, policies, load_waivers(root, mesh.products), today)


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} must occur exactly once"
    return text.replace(old, new)
