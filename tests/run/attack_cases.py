"""One small product to attack."""

from __future__ import annotations

from pathlib import Path

from helpers import a_contract, a_product, a_source, write_workspace

from dataops_mesh.settings import Settings

KEY = "{name: id, logicalType: integer, primaryKey: true}"
AMOUNT = "{name: amount, logicalType: integer, required: true}"
GOOD = "id,amount\n1,10\n2,20\n"
BAD = "id,amount\n1,10\n1,10\n"


def shop(root: Path, *rules: str, csv: str = GOOD, python: str = "") -> Settings:
    transform = (
        {"transform.py": python} if python else {"orders.sql": "select id, amount from orders_csv"}
    )
    files = a_product(
        {"orders": a_contract("orders", [KEY, AMOUNT], *rules)},
        inputs=[
            a_source(
                "orders_csv", "orders.csv", "{name: some, metric: rowCount, mustBeGreaterThan: 0}"
            )
        ],
        files={"orders.csv": csv, **transform},
    )
    return write_workspace(root, {"shop": {"orders": files}})
