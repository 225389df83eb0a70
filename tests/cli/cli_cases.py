"""Two products, and what a command says."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from helpers import a_product, a_source, an_input

COLUMNS = ("{name: id, logicalType: integer, primaryKey: true}",)
FAMILY = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def orders(csv="id\n1\n2\n"):
    return a_product(
        ports={"orders": COLUMNS},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id::bigint as id from orders_csv", "orders.csv": csv},
    )


def totals(source="shop.orders"):
    return a_product(
        ports={"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input(source)],
        files={"totals.sql": f"select count(*) as n from {source}"},
    )


def on_record(settings) -> list[tuple]:
    """Read the table with nothing of ours."""
    with sqlite3.connect(settings.store_folder / "ledger.sqlite") as connection:
        return connection.execute(
            "select operation, subjects, person, repository, reason, release, details"
            " from operations order by number"
        ).fetchall()
