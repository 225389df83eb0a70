"""A gate warms up on a store of its own: the settings of whoever starts it are of another one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_gate_warms_up_where_the_environment_names_anything(tmp_path: Path):
    said = {"SANDBOX": "late~0123456789ab", "OWNERSHIP": "assigned", "POLICIES": "nowhere.yaml"}
    said |= {"THREADS": "many", "NOW": "2013-12-31T23:59:59", "LEDGER": "sqlite:////proc/no/ledger"}
    code = (
        "import os; from dataops_mesh.run.process.warm import warm_up; warm_up();"
        "print(os.environ['DATAOPS_MESH_THREADS'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **{f"DATAOPS_MESH_{name}": value for name, value in said.items()}},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "many\n", "")
