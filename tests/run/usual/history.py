"""A product that was published, and whose ledger says that it was so on forty days."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from helpers import a_contract, a_product, a_source, environment, run, write_workspace

from dataops_mesh.settings import Settings

COLUMNS = (
    "{name: id, logicalType: integer, classification: public}",
    "{name: amount, logicalType: number, classification: public}",
    "{name: salary, logicalType: number, classification: confidential}",
    "{name: note, logicalType: string}",
)
DAYS = 40


def orders(rows: list[tuple[object, ...]], *rules: str) -> dict:
    text = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    names = "id, amount, salary, note"
    return a_product(
        {"orders": a_contract("orders", list(COLUMNS), *rules)},
        inputs=[a_source("s", "s.csv")],
        files={
            "orders.sql": f"select {names} from s",
            "s.csv": f"{names.replace(' ', '')}\n{text}\n",
        },
    )


def usual(count: int) -> list[tuple[object, ...]]:
    return [(n, 10 + n % 3, 7777 + n % 3, "x") for n in range(count)]


def remembered(root: Path, *rules: str, days: int = DAYS) -> Settings:
    """Write the workspace, with days of history and words of the contract."""
    found = write_workspace(root, {"shop": {"orders": orders(usual(100), *rules)}})
    ref = run(found, "shop.orders").candidate
    tables = ("candidates", "ports", "profiles", "distinct_counts")
    with sqlite3.connect(environment(found).store.ledger_file) as db:
        for day in range(1, days + 1):
            at = (datetime.now(UTC) - timedelta(days=day)).isoformat()
            for table in tables:
                names = [row[1] for row in db.execute(f"pragma table_info({table})")]
                said = {"candidate": "?", "finished": "?"}
                asked = ", ".join(said.get(name, f'"{name}"') for name in names)
                given = [f"{ref}-{day}"] + ([at] if "finished" in names else [])
                db.execute(
                    f"insert into {table} select {asked} from {table} where candidate = ?",
                    [*given, ref],
                )
    return found
