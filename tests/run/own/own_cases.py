"""Products that read what they published last."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from dataops_mesh.run.product import run_product
from dataops_mesh.run.report import Report
from dataops_mesh.settings import Settings
from tests.helpers import a_product, a_source, environment, product, write_workspace

SELF = "- name: self\n"
ID = "{name: id, logicalType: integer, classification: public}"
KEY = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
WORD = "{name: word, logicalType: string, required: true, classification: public}"
APPEND = "select id, word from self union all select id, word from incoming"
MERGE = "select * from merge(self, incoming)"
PYTHON = (
    "def transform(self, incoming):\n"
    "    return self.union(incoming.project('id, word').query('x', 'from x'))\n"
)


def csv(*rows: tuple[int, str]) -> str:
    return "id,word\n" + "".join(f"{key},{word}\n" for key, word in rows)


def log(
    sql: str = APPEND, rows: str = "", columns: tuple[str, ...] = (ID, WORD), python: str = ""
) -> dict[str, str | bytes]:
    """Return a product that adds what is delivered to what it has."""
    made = {"transform.py": python} if python else {"log.sql": sql}
    return a_product(
        {"log": columns},
        inputs=[a_source("incoming", "incoming.csv", more="options: {types: {id: BIGINT}}"), SELF],
        files={**made, "incoming.csv": rows or csv((1, "one"))},
    )


def shop(root: Path, **kwargs: Any) -> Settings:
    return write_workspace(root, {"shop": {"log": log(**kwargs)}})


def deliver(settings: Settings, *rows: tuple[int, str]) -> None:
    file = settings.domains_folder / "shop" / "log" / "incoming.csv"
    file.write_text(csv(*rows), "utf-8")


def run_full(settings: Settings, name: str = "shop.log", partition: str | None = None) -> Report:
    return run_product(
        product(settings, name),
        environment(settings),
        run_id=uuid.uuid4().hex[:12],
        partition=partition,
        full=True,
    )
