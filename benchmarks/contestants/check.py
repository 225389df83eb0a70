"""`mesh check` on a generated mesh, as a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.meshes import write_mesh

KILO = 1024


def check(products: int) -> Callable[[], Any]:
    """Prepare the mesh; the work checks it in a process of its own."""
    root = Path(mkdtemp())
    write_mesh(root, products)

    def work() -> Any:
        command = [sys.executable, "-m", "dataops_mesh.cli.main", "check"]
        done = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        said = done.stderr.read() if done.stderr else b""
        _, status, usage = os.wait4(done.pid, 0)
        done.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss / (KILO if sys.platform != "darwin" else KILO**2)
        return {"exit": done.returncode, "said": said.decode()[-500:], "check_peak_mb": peak}

    return work
