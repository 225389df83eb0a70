"""One product of two ports that hold the same number."""

from __future__ import annotations

from pathlib import Path

from helpers import a_product, a_source, read, run, write_product, write_workspace

from dataops_mesh.settings import Settings

NUMBER = "{name: n, logicalType: integer, required: true}"


def shop(root: Path, settings: str = "") -> Settings:
    files = a_product(
        {"left": [NUMBER], "right": [NUMBER]},
        inputs=[a_source("rows", "rows.csv", more="options: {types: {n: INTEGER}}")],
        files={
            "left.sql": "select n from rows",
            "right.sql": "select n from rows",
            "rows.csv": "n\n0\n",
        },
    )
    return write_workspace(root, {"shop": {"both": files}}, settings=settings)


def deliver(settings: Settings, number: int | str, run_id: str = "") -> int | None:
    write_product(settings.root, "shop", "both", {"rows.csv": f"n\n{number}\n"})
    return run(settings, "shop.both", run_id).publication


def both(settings: Settings) -> tuple[int, int]:
    return read(settings, "select l.n, r.n from shop.left as l, shop.right as r")[0]
