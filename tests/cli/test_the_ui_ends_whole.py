"""Whatever ends `mesh ui` ends Dagster's processes with it: nothing goes on and publishes (A20)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import a_product, a_source, write_workspace

from dataops_mesh.cli import ui

REPOSITORY = Path(__file__).parents[2]
KEY = "{name: id, logicalType: integer, primaryKey: true}"


def group(number: int) -> list[int]:
    """Return the living processes of a process group."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, belongs = file.read_text().rsplit(")", 1)[1].split()[:3]
        except OSError:
            continue
        if int(belongs) == number and state != "Z":
            found.append(int(file.parent.name))
    return found


def child_of(parent: int) -> int:
    """Return the process of `dagster dev` that a process has started, or 0."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            ours = int((file.parent / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent
            if ours and b"dagster\0dev" in file.read_bytes():
                return int(file.parent.name)
        except OSError:
            continue
    return 0


def wait(asked, seconds: float = 40):
    until = time.monotonic() + seconds
    while not (found := asked()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_what_dagster_started_is_gone(tmp_path, sign):
    found = a_product(
        ports={"orders": [KEY]},
        inputs=[a_source("src", "src.csv")],
        files={"orders.sql": "select id from src", "src.csv": "id\n1\n"},
    )
    write_workspace(tmp_path, {"shop": {"orders": found}})
    (tmp_path / "domains" / "shop" / "definitions.py").write_text(
        "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_MESH_", "DAGSTER_"))}
    mesh = [sys.executable, "-m", "dataops_mesh.cli.main"]
    around = {"cwd": tmp_path, "env": kept | {"PYTHONPATH": str(REPOSITORY)}}
    subprocess.run([*mesh, "workspace"], check=True, capture_output=True, **around)
    ui = subprocess.Popen(
        [*mesh, "ui", "--port", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **around,
    )  # fmt: skip
    try:
        dagster = wait(lambda: child_of(ui.pid))
        assert wait(lambda: len(group(dagster)) > 1), "it never started anything"
        ui.send_signal(sign)
        ui.wait(40)
        assert wait(lambda: not group(dagster)), "it goes on"
    finally:
        ui.kill()
        ui.wait()


def test_dagster_is_told_no_service_of_the_cluster_as_an_option(monkeypatch):
    links = {
        "DAGSTER_CODE_SERVER_PORT": "tcp://10.0.0.1:4000",
        "DAGSTER_WEBSERVER_PORT": "tcp://10.0.0.1:80",
        "DAGSTER_GRPC_PORT_4000_TCP": "tcp://10.0.0.1:4000",
    }
    kept = {"DAGSTER_WEBSERVER_LOG_LEVEL": "debug", "SHOP_PORT": "tcp://10.0.0.1:80"}
    for name, value in (links | kept).items():
        monkeypatch.setenv(name, value)
    found = ui.environment()
    assert links.keys().isdisjoint(found)
    assert kept.items() <= found.items()
