"""A whole production instance: PostgreSQL, daemon, webserver, a code server per domain.

A product, and an asset of somebody else's code location, are materialized through GraphQL; everything
else happens by itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from helpers import a_product, a_source, an_input, mesh, write_workspace
from ports import free_port
from postgres import binaries, postgres
from receivers import webhook

from dataops_mesh import connect
from dataops_mesh.errors import NotPublishedError, StoreError
from dataops_mesh.factory.production import GATE, GATE_PROCESS, code_servers, write_production

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true, classification: public}",
    "{name: amount, logicalType: integer, required: true, classification: public}",
]
SUPPORT = (
    "team: {name: @domain_team}\n"
    "support: [{channel: @domain-alerts, url: 'https://chat.mesh.example/@domain'}]\n"
)
LAUNCH = """
mutation Launch($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector, runConfigData: {}, mode: "default"}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}"""
RUNS = "query { runsOrError(limit: 100) { ... on Runs { results { jobName status tags { key value } assetSelection { path } } } } }"
PATIENCE = 170  # seconds; a fifth of it on a machine with nothing else to do


# What people have beside the mesh: a location that knows nothing of it.
LOADER = """
from pathlib import Path

import dagster as dg

OUT = Path({out!r})


@dg.asset(key_prefix="raw")
def orders() -> None:
    OUT.write_text("id,amount\\n1,10\\n2,25\\n")


defs = dg.Definitions(assets=[orders], jobs=[dg.define_asset_job("loader", [orders])])
"""


def domains(csv):
    orders = a_product(
        ports={"orders": COLUMNS},
        inputs=[a_source("csv", "o.csv", more="asset: raw/orders")],
        files={
            "orders.sql": "select id::bigint as id, amount::bigint as amount from csv",
            "o.csv": csv,
        },
        extra=SUPPORT,
    )
    totals = a_product(
        ports={"totals": ["{name: n, logicalType: integer, required: true}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select sum(amount)::bigint as n from shop.orders"},
        extra=SUPPORT,
    )
    figures = a_product(
        ports={"figures": ["{name: doubled, logicalType: integer, required: true}"]},
        inputs=[an_input("desk.totals")],
        files={"figures.sql": "select n * 2 as doubled from desk.totals"},
        extra=SUPPORT,
    )
    return {"shop": {"orders": orders}, "desk": {"totals": totals}, "board": {"figures": figures}}


class Production:
    """The running instance."""

    def __init__(self, root: Path, environment: dict[str, str], stack: ExitStack) -> None:
        self.root, self.environment, self.stack = root, environment, stack
        self.web, self.processes = free_port(), []
        stack.callback(self.stop)

    def start(self, name: str, *arguments: str) -> None:
        log = self.stack.enter_context((self.root / f"{name}.log").open("w"))
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=self.root, env=self.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        self.processes.append(process)

    def stop(self) -> None:
        """End the processes that this test started, and those that they started, all at once."""
        for sign, patience in ((signal.SIGTERM, 4), (signal.SIGKILL, 8)):
            end = time.monotonic() + patience
            for process in self.processes:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            for process in self.processes:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(end - time.monotonic(), 0.1))

    def ask(self, query: str, **variables: object) -> dict:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            pytest.fail(error.read().decode())

    def launch(self, domain: str) -> None:
        selector = {
            "repositoryLocationName": domain,
            "repositoryName": "__repository__",
            "pipelineName": domain,
        }
        answer = self.ask(LAUNCH, selector=selector)
        assert answer["data"]["launchRun"]["__typename"] == "LaunchRunSuccess", answer

    def runs(self) -> list[tuple[str, str]]:
        """Return the product's port and the ending of every run of a product.

        Monitors run by the clock on the wall, at some minute of every hour, and are left out.
        """
        results = self.ask(RUNS)["data"]["runsOrError"]["results"]
        return sorted(
            (
                run["assetSelection"][0]["path"][0] if run["assetSelection"] else run["jobName"],
                run["status"],
            )
            for run in results
            if not run["jobName"].endswith(("_monitor", "_verify"))
        )

    def read(self, query: str) -> list[tuple] | None:
        try:
            with connect(store=self.root / ".mesh/store") as published:
                return published.execute(query).fetchall()
        except (NotPublishedError, StoreError):
            return None
        except Exception as error:
            if "Catalog" in type(error).__name__:
                return None
            raise

    def until(self, what: str, reached) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if reached():
                return
            time.sleep(0.5)
        logs = "\n".join(f"== {f.name}\n{f.read_text()[-2500:]}" for f in self.root.glob("*.log"))
        pytest.fail(f"{what} did not happen in {PATIENCE} s\n{logs}")

    def up(self) -> bool:
        try:
            answer = self.ask(
                "query { workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } } }"
            )
        except OSError:
            return False
        entries = answer["data"]["workspaceOrError"]["locationEntries"]
        return {
            e["name"]
            for e in entries
            if (e["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"
        } == {"shop", "desk", "board", "loader"}


@pytest.mark.timeout(480)
@pytest.mark.needs_postgres
def test_a_production_instance_runs_by_itself_and_stops_where_data_is_bad(tmp_path):
    assert binaries()
    settings = write_workspace(tmp_path, domains("id,amount\n1,10\n2,20\n"))
    for domain in ("shop", "desk", "board"):
        text = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
        (tmp_path / "domains" / domain / "definitions.py").write_text(text)
    found = mesh(settings)
    first = free_port(following=2)
    deploy = write_production(found, first)
    with ExitStack() as stack:
        url = stack.enter_context(postgres())
        hook = stack.enter_context(webhook())
        (tmp_path / "alerts.toml").write_text(f'[channels]\n"*" = "{hook.url}"\n')
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(deploy),
            "DAGSTER_POSTGRES_URL": url,
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
            "DATAOPS_MESH_AUTOMATION": "true",
            "DATAOPS_MESH_TICK": "3",
            "DATAOPS_MESH_LEDGER": url,
            "DATAOPS_MESH_ALERTS_FILE": "alerts.toml",
            "DATAOPS_MESH_UI_URL": "http://ui.mesh.example",
            "DATAOPS_MESH_GATE": GATE,
        }  # fmt: skip
        here = Production(tmp_path, environment, stack)
        here.start("gate", *GATE_PROCESS[3:])
        for server in code_servers(found, first):
            here.start(
                f"code-{server.domain}", "dagster", "code-server", "start", *server.arguments
            )
        loader = tmp_path / "loader.py"
        loader.write_text(LOADER.format(out=str(tmp_path / "domains/shop/orders/o.csv")))
        workspace = str(deploy / "workspace.yaml")
        with Path(workspace).open("a") as more:
            more.write(f"  - python_file: {{relative_path: {loader}, location_name: loader}}\n")
        here.start(
            "web", "dagster_webserver", "-w", workspace, "-h", "127.0.0.1", "-p", str(here.web)
        )
        here.start("daemon", "dagster._daemon", "run", "-w", workspace)
        here.until("the start of everything", here.up)

        here.launch("shop")
        figures = "select doubled from board.figures"
        here.until("the publication in the last domain", lambda: here.read(figures) == [(60,)])

        source = tmp_path / "domains/shop/orders/o.csv"
        source.write_text("id,amount\n1,10\n1,99\n")
        here.launch("shop")
        here.until("an alert", lambda: bool(hook))
        time.sleep(8)  # time for everything that must not happen
        assert [body["text"] for _, _, body in hook] == ["refused: shop.orders"]
        (attachment,) = hook[0][2]["attachments"]
        assert attachment["title_link"].startswith("http://ui.mesh.example/runs/")
        assert here.read("select sum(amount) from shop.orders") == [(30,)]
        assert here.read(figures) == [(60,)]
        assert here.runs() == [
            ("board", "SUCCESS"), ("desk", "SUCCESS"), ("shop", "FAILURE"), ("shop", "SUCCESS"),
        ]  # fmt: skip

        here.launch("loader")  # its materialization wakes the shop
        here.until("the recovery downstream", lambda: here.read("from desk.totals") == [(35,)])
        here.until("the all clear", lambda: len(hook) > 1)
        assert hook[-1][2]["text"] == "all clear: refused: shop.orders"
        expected = [("desk", "SUCCESS")] * 2 + [("loader", "SUCCESS")]
        expected += [("shop", "FAILURE")] + [("shop", "SUCCESS")] * 2
        # The board may still be at work; what else ran, and how often, is settled.
        here.until(
            "the expected runs and no other",
            lambda: [run for run in here.runs() if run[0] != "board"] == expected,
        )
