"""A product that reads one remote source, and the files that were fetched for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from helpers import a_product, a_setting, environment, product, write_workspace

from dataops_mesh.run.product import run_product
from dataops_mesh.run.report import Report
from dataops_mesh.settings import Settings

ID = "{name: id, logicalType: integer, primaryKey: true}"


def a_remote(name: str, value: str) -> str:
    """Return an input port that reads a remote source; `value` is the inside of its mapping."""
    setting = a_setting("source", f"{{{value}}}")
    return f"- name: {name}\n  customProperties:\n    {setting}"


def shop(
    root: Path,
    value: str,
    *columns: str,
    sql: str = "select id from orders_raw",
    settings: str = "",
    files: dict[str, str] | None = None,
    contract: str = "",
    beside: tuple[str, ...] = (),
) -> Settings:
    transform = files or {"orders.sql": sql}
    product = a_product(
        {"orders": contract or (columns or (ID,))},
        inputs=[a_remote("orders_raw", value), *beside],
        files=transform,
    )
    return write_workspace(root, {"shop": {"orders": product}}, settings=settings)


def fetched(settings: Settings) -> list[Path]:
    """Return the files that lie in the cache, without the notes."""
    folder = environment(settings).store.fetched
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "note.json"]


def everything_said(settings: Settings) -> bytes:
    """Return every byte below the workspace: records, logs, notes, data."""
    return b"\n".join(p.read_bytes() for p in sorted(settings.root.rglob("*")) if p.is_file())


def run(
    settings: Settings,
    name: str = "shop.orders",
    *,
    partition: str | None = None,
    full: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    found, own = product(settings, name), uuid.uuid4().hex[:12]
    here = environment(settings)
    return run_product(found, here, run_id=own, partition=partition, full=full, progress=progress)
