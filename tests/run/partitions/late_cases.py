"""Calls by day, delivered in files by day, of which some rows come late."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from dataops_mesh.run.due import due_partitions
from dataops_mesh.run.product import run_product
from dataops_mesh.run.report import Report
from dataops_mesh.settings import load_settings
from tests.helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    read,
    write_workspace,
)

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: day, logicalType: date, required: true, partitioned: true}",
]
SQL = "select id, day::date as day from csv"


def calls(
    lookback: int = 1,
    sql: str = SQL,
    *,
    more: str = "",
    source: str = "'in/{partition}.csv'",
    **files: str,
) -> dict[str, str | bytes]:
    """Return the files of a product that is cut by day and read from deliveries by day."""
    late = f", lookback: {lookback}" if lookback else ""
    cut = f"{{cadence: daily, start: '2026-03-01'{late}{more}}}"
    text = a_contract("calls", COLUMNS) + "customProperties:\n"
    text += a_setting("partitions", cut) + a_setting("allowEmpty", "true")
    made = {"calls.sql": sql, **files} if sql else files
    return a_product({"calls": text}, inputs=[a_source("csv", source)], files=made)


def calls_cut(cut: str, kind: str, lookback: int, *, aside: bool) -> dict[str, str | bytes]:
    """Return the same product, cut in another way."""
    late = f", lookback: {lookback}" + (", onFailure: {quarantine: 99 rows}" if aside else "")
    stored = "date" if kind == "date" else "timestamptz"
    columns = [COLUMNS[0], COLUMNS[1].replace("logicalType: date", f"logicalType: {kind}")]
    text = a_contract("calls", columns) + "customProperties:\n"
    text += a_setting("partitions", f"{{{cut}{late}}}") + a_setting("allowEmpty", "true")
    sql = f"select id, day::{stored} as day from csv"
    source = a_source("csv", "'in/{partition}.csv'")
    return a_product({"calls": text}, inputs=[source], files={"calls.sql": sql})


class Shop:
    """A workspace with this product, a clock and a folder of deliveries."""

    def __init__(self, root: Path, made: dict[str, str | bytes]) -> None:
        write_workspace(root, {"shop": {"calls": made}})
        self.root, self.folder = root, root / "domains" / "shop" / "calls" / "in"
        self.folder.mkdir(exist_ok=True)
        self.at("2026-03-01T12:00:00Z")

    def at(self, now: str) -> None:
        os.environ["DATAOPS_MESH_NOW"] = now
        self.settings = load_settings(self.root)

    def deliver(self, key: str, rows: dict[int, str], suffix: str = "csv") -> None:
        lines = "".join(f"{number},{day}\n" for number, day in rows.items())
        (self.folder / f"{key}.{suffix}").write_text(f"id,day\n{lines}", "utf-8")

    def due(self) -> tuple[str, ...]:
        return due_partitions(product(self.settings, "shop.calls"), environment(self.settings))

    def build(self, key: str) -> Report:
        return run_product(
            product(self.settings, "shop.calls"),
            environment(self.settings),
            run_id=uuid.uuid4().hex[:8],
            partition=key,
        )

    def numbers(self) -> list[int]:
        found = read(self.settings, "select id from shop.calls order by id")
        return [int(number) for (number,) in found]

    def rows(self) -> list[tuple[int, str]]:
        found = read(self.settings, "select id, day::varchar from shop.calls order by id")
        return [(int(number), str(day)) for number, day in found]
