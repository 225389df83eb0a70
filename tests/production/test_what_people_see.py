"""The UI as somebody sees it at night: the whole lineage, one product, a refused run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from chromium import text_of
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    write_product,
    write_workspace,
)
from ports import free_port

DEFS = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true, description: Its number., classification: public}",
    "{name: kind, logicalType: string, required: true, classification: public}",
]
LIMITS = (
    "description: {purpose: What was ordered., limitations: Without returns.}\n"
    "team: {name: sellers}\nsupport: [{channel: sales, url: 'https://chat.mesh.example/sales'}]\n"
)


def domains(csv="id,kind\n1,a\n2,b\n"):
    orders = a_product(
        {"orders": a_contract("orders", COLUMNS, "{name: enough, metric: rowCount, mustBeGreaterThan: 1}")},
        inputs=[a_source("deliveries", "o.csv")],
        files={"orders.sql": "select id::bigint as id, kind from deliveries", "o.csv": csv},
        extra=LIMITS,
    )  # fmt: skip
    totals = a_product(
        {"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )
    return {"shop": {"orders": orders}, "desk": {"totals": totals}, "till": {"sales": sales()}}


def sales():
    """A product of three months, the second of which is refused."""
    months = a_setting("partitions", "{cadence: monthly, start: '2020-01-01'}")
    columns = [
        "{name: id, logicalType: integer, primaryKey: true}",
        "{name: day, logicalType: date, primaryKey: true, partitioned: true, classification: public}",
    ]
    of_month = "from slips where day >= partition_start() and day < partition_end()"
    return a_product(
        {"sales": a_contract("sales", columns) + f"customProperties:\n{months}"},
        inputs=[a_source("slips", "s.csv")],
        files={
            "sales.sql": f"select id, day {of_month}",
            "s.csv": "id,day\n1,2020-01-05\n2,2020-02-05\n2,2020-02-05\n3,2020-03-05\n",
        },
    )


@pytest.fixture
def ui(tmp_path):
    """A mesh that has published once and been refused once, behind `dagster dev`."""
    settings = write_workspace(tmp_path, domains(), settings='now = "2020-03-20T00:00:00Z"\n')
    for domain in ("shop", "desk", "till"):
        (settings.domains_folder / domain / "definitions.py").write_text(DEFS, "utf-8")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_MESH_", "DAGSTER_"))}
    home = tmp_path / ".mesh/dagster"
    names = {"DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    environment = {**clean, **names, "DAGSTER_HOME": str(home)}

    def mesh(*words: str, code: int = 0) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "dataops_mesh.cli.main", *words],
            cwd=tmp_path, env=environment, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == code, done.stderr

    mesh("run", code=1)
    write_product(tmp_path, "shop", "orders", {"o.csv": "id,kind\n1,a\n1,b\n"})
    mesh("run", "shop", code=1)
    mesh("workspace")
    port = free_port()
    command = ["dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with (tmp_path / "dev.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/server_info", tmp_path / "dev.log")
        yield address, home
    finally:
        for sign, patience in ((signal.SIGTERM, 8), (signal.SIGKILL, 8)):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, sign)
                process.wait(patience)


def wait_for(url: str, log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
            return
        time.sleep(0.3)
    pytest.fail(log.read_text()[-2000:])


def refused_run(home: Path, domain: str) -> str:
    from dagster import DagsterInstance, DagsterRunStatus

    with DagsterInstance.from_config(str(home)) as instance:
        (run,) = (
            run
            for run in instance.get_runs()
            if run.status is DagsterRunStatus.FAILURE
            and {key.path[0] for key in run.asset_selection or ()} == {domain}
        )
        return run.run_id


@pytest.mark.timeout(480)
@pytest.mark.needs_chromium
def test_lineage_a_product_and_a_refusal_can_be_read(ui, tmp_path):
    address, home = ui
    pages = {
        "lineage": ("asset-groups", ["Global asset lineage", "shop", "desk"]),
        "upstream": (
            "assets/desk/totals?view=lineage&lineageScope=upstream",
            ["shop", "orders", "5 / 6 Passed", "totals", "2 / 2 Passed"],
        ),
        "source": ("assets/shop/orders?view=lineage", ["deliveries", "orders"]),
        "product": (
            "assets/shop/orders",
            ["What was ordered.", "mesh/limitations", "Without returns.", "sellers"],
        ),
        "events": ("assets/shop/orders?view=events", ["mesh/publication", "mesh/coverage"]),
        "checks": (
            "assets/shop/orders?view=checks",
            [
                "primary_key",
                "enough",
                "not_empty",
                "there are 2 rows; the contract says mustBeGreaterThan 1",
            ],
        ),
        "refused": (
            f"runs/{refused_run(home, 'shop')}",
            ["Failure", "The gate refused shop.orders", "primary_key"],
        ),
        "runs": ("runs", ["Success", "Failure", "2020-02-01", "2020-03-01"]),
        "month": (
            f"runs/{refused_run(home, 'till')}",
            ["Failure", "The gate refused till.sales", "2020-02-01"],
        ),
        "months": (
            "assets/till/sales?view=checks&checkDetail=primary_key",
            [
                "primary_key Failed",  # in one of the three months
                "The gate refuses the candidate by it",
                "Partition 2020-03-01",
                "Partitions",
            ],
        ),
    }
    missing = {}
    for name, (path, expected) in pages.items():
        text = text_of(f"{address}/{path}", tmp_path / f"{name}.png")
        if lost := [word for word in expected if word not in text]:
            missing[name] = (lost, text[-2500:])
    assert not missing
