"""One product of orders, with SQL or Python, and what a run leaves of it on the disk."""

from __future__ import annotations

from pathlib import Path

from helpers import a_contract, a_product, a_source, environment, write_workspace

from dataops_mesh.settings import Settings
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.refs import all_refs

KEY = "{name: id, logicalType: integer, primaryKey: true}"
AMOUNT = "{name: amount, logicalType: integer, required: true}"
IBAN = "DE89370400440532013000"
GOOD = "id,amount\n1,10\n2,20\n"


def orders(
    sql: str = "select id, amount from orders_csv",
    csv: str = GOOD,
    *rules: str,
    columns: tuple[str, ...] = (KEY, AMOUNT),
    more: str = "",
) -> dict[str, str | bytes]:
    return a_product(
        {"orders": a_contract("orders", columns, *rules)},
        inputs=[a_source("orders_csv", "orders.csv", more=more)],
        files={"orders.sql": sql, "orders.csv": csv},
    )


def shop(root: Path, *args: object, **kwargs: object) -> Settings:
    return write_workspace(root, {"shop": {"orders": orders(*args, **kwargs)}})  # type: ignore[arg-type] # passed on as they are


def python_shop(root: Path, transform: str, csv: str = GOOD, ports: int = 1) -> Settings:
    names = ["orders", "more"][:ports]
    files = a_product(
        dict.fromkeys(names, ()) | {name: a_contract(name, [KEY, AMOUNT]) for name in names},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"transform.py": transform, "orders.csv": csv},
    )
    return write_workspace(root, {"shop": {"orders": files}})


def manifests(settings: Settings) -> list:
    store = environment(settings).store
    found = (read_manifest(store, ref) for ref in all_refs(store))
    return sorted(found, key=lambda one: one.started)  # names of one second are in no order


def everything_on_disk(settings: Settings) -> dict[Path, bytes]:
    files = (path for path in settings.store_folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


PLAIN = "def transform(orders_csv):\n    return orders_csv\n"
