"""On the example mesh: a column is renamed, and the plan names those who use it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLUMN, NEW = "arrival_delay_minutes", "arrival_delay"


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=ana", "-c", "user.email=ana@mesh.example"]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


def mesh_command(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dataops_mesh.cli.main", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def example(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shutil.copytree(ROOT / "domains", tmp_path / "domains")
    without = shutil.ignore_patterns("target", "logs")
    shutil.copytree(ROOT / "dbt_projects", tmp_path / "dbt_projects", ignore=without)
    (tmp_path / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "before")
    return tmp_path


def rename(root: Path, *files: str) -> None:
    for name in files:
        file = root / "domains/operations/flights" / name
        text = file.read_text("utf-8")
        assert COLUMN in text
        file.write_text(text.replace(COLUMN, NEW), "utf-8")


def test_a_renamed_column_names_the_mart_that_uses_it_and_not_the_other(example: Path):
    rename(example, "flights.odcs.yaml", "transform.py")
    done = mesh_command(example, "plan", "--against", "HEAD", "--format", "json")
    assert done.returncode == 1, done.stderr
    plan = json.loads(done.stdout)
    (product,) = plan["products"]
    assert product["product"] == "operations.flights"
    kinds = {change["kind"] for change in product["changes"]}
    assert {"column_removed", "column_added", "transform"} <= kinds
    removed = next(c for c in product["changes"] if c["kind"] == "column_removed")
    assert removed["columns"] == [COLUMN]
    assert removed["compatibility"] == "breaking"
    hit = [one for one in product["consumers"] if COLUMN in one["columns"]]
    assert [(one["reader"], one["uses"]) for one in hit] == [("punctuality.by_route", "uses")]
    assert plan["rebuild"] == ["operations.flights", "punctuality.punctuality"]
    assert any("version 2.0.0" in reason for reason in product["refusals"])
    text = mesh_command(example, "plan", "operations", "--against", "HEAD")
    assert "punctuality.by_route uses arrival_delay_minutes" in text.stdout
    assert "delays_by_weather" not in text.stdout
    assert "lea.brandt@mesh.example" in text.stdout
    markdown = mesh_command(example, "plan", "--against", "HEAD", "--format", "markdown")
    assert "### `operations.flights` changed (refused)" in markdown.stdout


def test_nothing_changed_is_said_and_an_unknown_ref_is_an_error(example: Path):
    done = mesh_command(example, "plan", "--against", "HEAD")
    assert done.returncode == 0
    assert "Nothing changed." in done.stdout
    for ref in ("no-such-ref", "--output=x"):
        done = mesh_command(example, "plan", f"--against={ref}")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    done = mesh_command(example, "plan", "operatoins", "--against", "HEAD")
    assert done.returncode == 2
    assert not (example / "x").exists()
