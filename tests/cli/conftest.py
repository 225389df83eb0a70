"""`mesh` as somebody types it: the same `main`, in this process, in a workspace of its own."""

from __future__ import annotations

import os
import sys

import pytest
from cli_cases import FAMILY, Said, orders, totals
from helpers import write_workspace

from dataops_mesh.cli.main import main


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
