"""A dbt project with state, in the mesh and plainly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from dbt_cases import write_project
from helpers import (
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.run.product import run_product
from dataops_mesh.run.report import Report
from dataops_mesh.settings import Settings

Rows = Sequence[Sequence[Any]]  # id, amount, changed

INCREMENTAL = "{{{{ config(materialized='incremental'{more}) }}}}\n"
ROWS = "select id, amount, changed from {{ source('shop', 'orders') }}\n"
NEWER = (
    "{% if is_incremental() %}where changed > (select max(changed) from {{ this }}){% endif %}\n"
)
SNAPSHOT = (
    "{{% snapshot {name} %}}{{{{ config(unique_key='id', {how}) }}}} "
    "select * from {{{{ source('shop', 'orders') }}}}{{% endsnapshot %}}"
)
CHECKED = "strategy='check', check_cols=['amount']"
BARE = {
    "dbt_project.yml": (
        "name: books\nversion: 1.0.0\nprofile: elsewhere\nmodel-paths: [models]\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    ),
    "models/sources.yml": (
        "version: 2\nsources:\n"
        "  - {name: shop, database: mesh, schema: shop, tables: [{name: orders}]}\n"
    ),
}
PROJECT = {
    **BARE,
    "models/events.sql": INCREMENTAL.format(more=", incremental_strategy='append'") + ROWS + NEWER,
    "models/latest.sql": (
        INCREMENTAL.format(more=", incremental_strategy='merge', unique_key='id'") + ROWS
    ),
    "models/replaced.sql": (
        INCREMENTAL.format(more=", incremental_strategy='delete+insert', unique_key='id'")
        + ROWS
        + NEWER
    ),
    "snapshots/hist.sql": SNAPSHOT.format(
        name="hist", how="strategy='timestamp', updated_at='changed'"
    ),
    "snapshots/checked.sql": SNAPSHOT.format(name="checked", how=CHECKED),
    "snapshots/ended.sql": SNAPSHOT.format(
        name="ended", how=f"{CHECKED}, hard_deletes='invalidate'"
    ),
    "snapshots/told.sql": SNAPSHOT.format(
        name="told", how=f"{CHECKED}, hard_deletes='new_record'"
    ),
}  # fmt: skip
COLUMNS = [
    "{name: id, logicalType: integer}",
    "{name: amount, logicalType: integer, logicalTypeOptions: {minimum: 0}}",
    "{name: changed, logicalType: timestamp}",
]
KEPT = [
    "{name: dbt_scd_id, logicalType: string}",
    "{name: dbt_updated_at, logicalType: timestamp}",
    "{name: dbt_valid_from, logicalType: timestamp}",
    "{name: dbt_valid_to, logicalType: timestamp}",
]
DELETED = "{name: dbt_is_deleted, logicalType: string}"
PORTS = {
    **dict.fromkeys(("events", "latest", "replaced"), COLUMNS),
    **{name: [*COLUMNS, *KEPT] for name in ("hist", "checked", "ended")},
    "told": [*COLUMNS, *KEPT, DELETED],
}
BY_THE_CLOCK = frozenset({"checked", "ended", "told"})
CLOCK = frozenset({"dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"})
FIRST = [[1, 10, "2026-01-01 00:00:00"], [2, 20, "2026-01-01 01:00:00"]]
SECOND = [[2, 25, "2026-01-02 00:00:00"], [3, 30, "2026-01-02 01:00:00"]]  # 1 is gone from it
KILLED = (
    "import sys; from dataops_mesh.settings import load_settings; "
    "from dataops_mesh.spec.loader import load_product; "
    "from dataops_mesh.run.environment import open_environment; "
    "from dataops_mesh.run.product import run_product; from pathlib import Path; "
    "s = load_settings(Path(sys.argv[1])); "
    "p = load_product(s.domains_folder / 'books' / 'all', s.root); "
    "run_product(p, open_environment(s), run_id='k', progress=lambda t: print(t, flush=True))"
)


def a_mesh(
    root: Path,
    project: Mapping[str, str] = PROJECT,
    ports: Mapping[str, Sequence[str]] = PORTS,
    transform: str = "",
) -> Settings:
    """Return a workspace with the project, which reads the port `shop.orders`."""
    orders = a_product(
        {"orders": [COLUMNS[0], "{name: amount, logicalType: integer}", COLUMNS[2]]},
        inputs=[a_source("rows", "rows.csv")],
        files={"orders.sql": "select * from rows", "rows.csv": ""},
    )
    dbt = f"{{dbt: {{project: ../../../project{transform}}}}}"
    books = a_product(
        ports, inputs=[an_input("shop.orders")], settings=a_setting("transform", dbt), files={}
    )
    found = write_workspace(root, {"shop": {"orders": orders}, "books": {"all": books}})
    write_project(root, dict(project))
    return found


def deliver(settings: Settings, rows: Rows) -> None:
    """Publish these rows as `shop.orders`."""
    lines = "".join(f"{key},{amount},{changed}\n" for key, amount, changed in rows)
    write_product(settings.root, "shop", "orders", {"rows.csv": f"id,amount,changed\n{lines}"})
    assert run(settings, "shop.orders").published


def build(settings: Settings, rows: Rows | None = None, *, full: bool = False) -> Report:
    """Deliver these rows, if any are new, and run the project."""
    if rows is not None:
        deliver(settings, rows)
    return run_product(
        product(settings, "books.all"),
        environment(settings),
        run_id=uuid.uuid4().hex[:12],
        full=full,
    )


def published(
    settings: Settings, ports: Mapping[str, Sequence[str]] = PORTS
) -> dict[str, list[dict[str, str | bool]]]:
    """Return what consumers read."""
    found = {}
    for name, port in ports.items():
        columns = [c.split("name: ")[1].split(",")[0] for c in port]
        rows = read(settings, f"select {', '.join(columns)} from books.{name}")
        found[name] = compared(name, [dict(zip(columns, row, strict=True)) for row in rows])
    return found


def compared(name: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str | bool]]:
    """Return rows without what the clock says, and whether they are valid still."""
    by_clock = name in BY_THE_CLOCK
    left = [
        {key: str(cell) for key, cell in row.items() if not by_clock or key not in CLOCK}
        | ({"open": str(row["dbt_valid_to"]) == "None"} if by_clock else {})
        for row in rows
    ]
    return sorted(left, key=str)


class Plain:
    """Plain dbt on a database that stays, in a process that stays."""

    def __init__(
        self, root: Path, project: Mapping[str, str] = PROJECT, tables: Sequence[str] = tuple(PORTS)
    ) -> None:
        root.mkdir()
        self.root, self.tables, self.failed = root, list(tables), ""
        self.database = root / "plain.duckdb"
        write_project(root, dict(project))
        script = str(Path(__file__).with_name("plain_dbt.py"))
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
        self.process = subprocess.Popen(
            [sys.executable, "-I", script, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def build(self, rows: Rows, *arguments: str) -> dict[str, list[dict[str, str | bool]]]:
        """Return what it holds after a build; nothing of one that failed, which says why."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"rows": rows, "arguments": arguments, "tables": self.tables}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        self.failed, found = json.loads(self.process.stdout.readline())
        return {name: compared(name, rows) for name, rows in found.items()}
