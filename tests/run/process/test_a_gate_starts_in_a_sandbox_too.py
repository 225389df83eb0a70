"""`mesh sandbox run` starts a gate of its own, whose environment names the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_gate_warms_up_where_the_environment_names_a_sandbox(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", "from dataops_mesh.run.process.warm import warm_up; warm_up()"],
        env={**os.environ, "DATAOPS_MESH_SANDBOX": "late~0123456789ab"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
