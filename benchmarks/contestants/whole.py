"""Whole commands for one product, in workspaces of any size."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any


def whole(products: int, partitions: int, what: str, times: int) -> Callable[[], Any]:
    """Prepare a filled workspace; the work runs a command several times and says the CPU of each.

    Args:
        products: of the workspace.
        partitions: of each product.
        what: `run`, `status` or `wrong`.
        times: how often.
    """
    from benchmarks.contestants.filled import asked, day, fill

    root = Path(mkdtemp())
    fill(root, products, partitions)
    name = asked(products)
    run = ["run", name, "--partition", str(day(0))]
    arguments = {"run": run, "status": ["status", name], "wrong": ["status", "--wrong", name]}
    mesh = [sys.executable, "-m", "dataops_mesh.cli.main"]

    def once(command: list[str]) -> float:
        before = _cpu()
        subprocess.run([*mesh, *command], cwd=root, capture_output=True, check=True)
        return _cpu() - before

    once(run)  # Dagster is told of what is published

    def work() -> Any:
        seconds = median(once(arguments[what]) for _ in range(times))
        return {"seconds": seconds, "asked": name}

    return work


def _cpu() -> float:
    """Return the CPU of all processes that ended, the gate's among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
