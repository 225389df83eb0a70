"""The example mesh, run once for all tests, in a copy that nothing writes to afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).parents[2]
COPIED = ("domains", "dbt_projects", "secrets")
OURS = ("DATAOPS_MESH_", "DAGSTER_")


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass(frozen=True)
class Workspace:
    """A copy of the example, with a store of its own."""

    root: Path

    @property
    def store(self):
        return self.root / ".mesh" / "store"

    @property
    def home(self):
        return self.root / ".mesh" / "dagster"

    def mesh(self, *arguments: str, **variables: str):
        """Run `mesh` in the workspace, as a person would."""
        return self.python("-m", "dataops_mesh.cli.main", *arguments, **variables)

    def python(self, *arguments: str, **variables: str):
        """Run Python in the workspace, without settings of whoever runs the tests."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        own = {"PYTHONPATH": str(REPOSITORY), "DAGSTER_DISABLE_TELEMETRY": "1", **variables}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=kept | own,
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """The example after `mesh run`: read only. Several test processes share one run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    root = shared / "example-mesh"
    with FileLock(f"{root}.lock"):
        if not root.exists():
            building = Workspace(shared / "example-mesh-building")
            for name in COPIED:
                ignored = shutil.ignore_patterns("target", "logs", "__pycache__")
                shutil.copytree(REPOSITORY / name, building.root / name, ignore=ignored)
            for name in ("pyproject.toml", "workspace.yaml", "policies.yaml"):
                shutil.copy(REPOSITORY / name, building.root)
            said = building.mesh("run", "--format", "json")
            (building.root / "first-run.json").write_text(
                json.dumps([said.code, said.out, said.err]), "utf-8"
            )
            building.root.rename(root)  # a store may be moved
    return Workspace(root)


@pytest.fixture(scope="session")
def first_run(example):
    """What the first `mesh run` said."""
    return Said(*json.loads((example.root / "first-run.json").read_text("utf-8")))


@pytest.fixture
def own(example, tmp_path):
    """A copy of the example after its first run, for tests that change it."""
    root = tmp_path / "mesh"
    shutil.copytree(example.root, root, symlinks=True)
    return Workspace(root)
