"""Snapshots and incremental models hold, run after run, what plain dbt on one database holds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import duckdb
import pytest
from dbt_cases import write_project
from helpers import (
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    lift,
    product,
    read,
    roll_back,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.run.product import run_product
from dataops_mesh.store.manifest import read_manifest

INCREMENTAL = "{{{{ config(materialized='incremental'{more}) }}}}\n"
ROWS = "select id, amount, changed from {{ source('shop', 'orders') }}\n"
NEWER = (
    "{% if is_incremental() %}where changed > (select max(changed) from {{ this }}){% endif %}\n"
)
SNAPSHOT = (
    "{{% snapshot {name} %}}{{{{ config(unique_key='id', {how}) }}}} "
    "select * from {{{{ source('shop', 'orders') }}}}{{% endsnapshot %}}"
)
PROJECT = {
    "dbt_project.yml": (
        "name: books\nversion: 1.0.0\nprofile: elsewhere\nmodel-paths: [models]\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    ),
    "models/sources.yml": (
        "version: 2\nsources:\n"
        "  - {name: shop, database: mesh, schema: shop, tables: [{name: orders}]}\n"
    ),
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
    "snapshots/checked.sql": SNAPSHOT.format(
        name="checked", how="strategy='check', check_cols=['amount']"
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
PORTS = {
    **dict.fromkeys(("events", "latest", "replaced"), COLUMNS),
    **{name: [*COLUMNS, *KEPT] for name in ("hist", "checked")},
}
CLOCK = {"dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"}
FIRST = [[1, 10, "2026-01-01 00:00:00"], [2, 20, "2026-01-01 01:00:00"]]
SECOND = [[2, 25, "2026-01-02 00:00:00"], [3, 30, "2026-01-02 01:00:00"]]  # 1 is gone from it
THIRD = [[1, 11, "2026-01-03 00:00:00"], [3, 30, "2026-01-02 01:00:00"]]
BAD = [[4, -1, "2026-01-02 12:00:00"]]


@pytest.fixture
def settings(tmp_path):
    orders = a_product(
        {"orders": [COLUMNS[0], "{name: amount, logicalType: integer}", COLUMNS[2]]},
        inputs=[a_source("rows", "rows.csv")],
        files={"orders.sql": "select * from rows", "rows.csv": ""},
    )
    books = a_product(
        PORTS,
        inputs=[an_input("shop.orders")],
        settings=a_setting("transform", "{dbt: {project: ../../../project}}"),
        files={},
    )
    found = write_workspace(tmp_path, {"shop": {"orders": orders}, "books": {"all": books}})
    write_project(tmp_path, PROJECT)
    return found


def build(settings, rows, *, full=False):
    deliver(settings, rows)
    return run_product(
        product(settings, "books.all"),
        environment(settings),
        run_id=uuid.uuid4().hex[:12],
        full=full,
    )


def deliver(settings, rows):
    lines = "".join(f"{key},{amount},{changed}\n" for key, amount, changed in rows)
    write_product(settings.root, "shop", "orders", {"rows.csv": f"id,amount,changed\n{lines}"})
    assert run(settings, "shop.orders").published


def held(settings):
    found = {}
    for name, port in PORTS.items():
        columns = [c.split("name: ")[1].split(",")[0] for c in port]
        rows = read(settings, f"select {', '.join(columns)} from books.{name}")
        found[name] = compared(name, [dict(zip(columns, row, strict=True)) for row in rows])
    return found


def compared(name, rows):
    """Return rows without what the clock says, and whether they are valid still."""
    left = [
        {key: str(cell) for key, cell in row.items() if name != "checked" or key not in CLOCK}
        | ({"open": str(row["dbt_valid_to"]) == "None"} if name == "checked" else {})
        for row in rows
    ]
    return sorted(left, key=str)


def plain(root: Path, *deliveries: list) -> dict:
    """Return what plain dbt holds after these deliveries."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    write_project(root, PROJECT)
    (root / "given.json").write_text(json.dumps(deliveries))
    script = str(Path(__file__).with_name("plain_dbt.py"))
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    subprocess.run(
        [sys.executable, "-I", script, str(root), str(root / "given.json")], check=True, env=clean
    )
    found = json.loads((root / "plain.json").read_text())
    return {name: compared(name, rows) for name, rows in found.items()}


def test_three_runs_a_refusal_and_a_full_refresh_are_those_of_plain_dbt(settings, tmp_path):
    assert build(settings, FIRST).published
    assert build(settings, SECOND).published
    refused = build(settings, BAD)
    assert not refused.published
    assert build(settings, THIRD).published
    given = [[FIRST, False], [SECOND, False], [THIRD, False]]
    assert held(settings) == plain(tmp_path / "plain", *given)
    assert build(settings, SECOND, full=True).published
    assert held(settings) == plain(tmp_path / "plain", *given, [SECOND, True])


def test_after_a_rollback_it_goes_on_from_what_was_rolled_back_to(settings, tmp_path):
    assert build(settings, FIRST).published
    assert build(settings, SECOND).published
    roll_back(settings, "books.all")
    lift(settings, "books.all")
    assert build(settings, THIRD).published
    assert held(settings) == plain(tmp_path / "plain", [FIRST, False], [THIRD, False])


def test_no_address_leads_to_the_state_and_it_is_part_of_the_evidence(settings):
    report = build(settings, FIRST)
    store = environment(settings).store
    (state,) = read_manifest(store, report.candidate).state
    assert state.path == "dbt.state/state.duckdb"
    assert state.sha256
    names = {one for (one,) in read(settings, "select table_name from information_schema.tables")}
    assert not [one for one in names if "state" in one]
    (store.candidates / report.candidate / state.path).write_bytes(b"other")
    from dataops_mesh.errors import CorruptError

    with pytest.raises(CorruptError, match="is not what was kept"):
        build(settings, SECOND)


def test_types_and_names_of_any_kind_come_back_as_they_were(settings):
    odd = (
        "select id::hugeint as \"Größe (cm)\", ('a')::enum('a', 'b') as kind, "
        "interval 1 month as long, '12:00:00+02'::timetz as at_, {'x': [1::uhugeint]} as deep "
        "from {{ source('shop', 'orders') }}\n"
    )
    write_project(settings.root, {"models/odd.sql": INCREMENTAL.format(more="") + odd})
    for rows in (FIRST, SECOND):
        report = build(settings, rows)
        assert report.published
    store = environment(settings).store
    file = store.candidates / report.candidate / "dbt.state" / "state.duckdb"
    with duckdb.connect(str(file), read_only=True) as con:
        told = {name: kind for name, kind, *_ in con.execute("describe main.odd").fetchall()}
        assert con.execute("select count(*) from main.odd").fetchall() == [(4,)]
    assert told == {
        "Größe (cm)": "HUGEINT",
        "kind": "ENUM('a', 'b')",
        "long": "INTERVAL",
        "at_": "TIME WITH TIME ZONE",
        "deep": "STRUCT(x UHUGEINT[])",
    }


def test_a_killed_build_leaves_the_state_as_it_was(settings, tmp_path):
    assert build(settings, FIRST).published
    deliver(settings, SECOND)
    code = (
        "import sys; from dataops_mesh.settings import load_settings; "
        "from dataops_mesh.spec.loader import load_product; "
        "from dataops_mesh.run.environment import open_environment; "
        "from dataops_mesh.run.product import run_product; from pathlib import Path; "
        "s = load_settings(Path(sys.argv[1])); "
        "p = load_product(s.domains_folder / 'books' / 'all', s.root); "
        "run_product(p, open_environment(s), run_id='k', progress=lambda t: print(t, flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert any(line.startswith("building") for line in process.stdout)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert build(settings, SECOND).published
    assert held(settings) == plain(tmp_path / "plain", [FIRST, False], [SECOND, False])
