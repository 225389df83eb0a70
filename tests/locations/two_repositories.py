"""Two repositories outside each other, and how to type in each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
OURS = ("DATAOPS_MESH_", "DAGSTER_", "PYTHONPATH")


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def say(root: Path, python: Path | str, *arguments: str, **more: str) -> Said:
    """Run Python in a folder, as somebody would who knows nothing of these tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    own = {"DAGSTER_DISABLE_TELEMETRY": "1", **more}
    done = subprocess.run(
        [str(python), *arguments],
        cwd=root,
        env=kept | own,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Pair:
    """Two repositories outside each other."""

    seller: Path
    reader: Path
    python: Path

    def mesh(self, *arguments: str, **more: str) -> Said:
        """Type in the seller's repository, with this interpreter."""
        own = {"PYTHONPATH": str(PROJECT), **more}
        return say(self.seller, sys.executable, "-m", "dataops_mesh.cli.main", *arguments, **own)

    def mesh_there(self, *arguments: str, **more: str) -> Said:
        """Type in the reader's repository, with its own interpreter."""
        return say(self.reader, self.python, "-m", "dataops_mesh.cli.main", *arguments, **more)
