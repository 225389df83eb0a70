"""`mesh` as somebody types it: the same `main`, in this process, in a workspace of its own."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass

import pytest
from helpers import a_product, a_source, an_input, write_workspace

from dataops_mesh.cli.main import main

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


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A mesh of two domains that never ran; the working folder is inside it."""
    for name in [n for n in os.environ if n.startswith(("DATAOPS_MESH_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / ".mesh" / "dagster"))
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders()}, "desk": {"totals": totals()}}
    )
    for domain in ("shop", "desk"):
        (tmp_path / "domains" / domain / "definitions.py").write_text(FAMILY, "utf-8")
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def mesh(workspace, monkeypatch, capfd):
    """Type a command and read what it says."""

    def type_(*arguments: str) -> Said:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["mesh", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        assert "Traceback" not in said.out + said.err
        return Said(code, said.out, said.err)

    return type_
