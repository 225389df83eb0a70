"""One small product whose deliveries are numbered."""

from __future__ import annotations

from pathlib import Path

from helpers import a_product, a_source, read, run, write_product, write_workspace

from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address

ID = ["{name: id, logicalType: integer, required: true}"]
ORDERS = Address("shop", "orders")


def orders(csv: str = "id\n1\n") -> dict[str, str | bytes]:
    return a_product(
        {"orders": ID},
        inputs=[a_source("orders_csv", "orders.csv", more="options: {types: {id: INTEGER}}")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": csv},
    )


def shop(root: Path) -> Settings:
    return write_workspace(root, {"shop": {"orders": orders()}})


def deliver(settings: Settings, *numbers: int) -> None:
    for number in numbers:
        write_product(settings.root, "shop", "orders", orders(f"id\n{number}\n"))
        assert run(settings, "shop.orders").published


def ids(settings: Settings) -> list[int]:
    return [row[0] for row in read(settings, "select id from shop.orders")]
