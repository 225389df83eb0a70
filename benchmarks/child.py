"""One contestant in its own process: prepare, then measure the work alone.

    python -m benchmarks.child MODULE:FUNCTION ARGUMENTS [ARGUMENTS-TO-WARM-UP]

FUNCTION prepares (imports, folders) and returns the work, a function without arguments. Uses
the standard library only, because contestants may live in an environment of their own.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any


def run_call(
    call: str, arguments: dict[str, Any], warm: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Prepare and do the work; return seconds, peak memory and the answer.

    Args:
        call: `module:function`.
        arguments: of the function.
        warm: of a smaller work of the same kind, done before and not measured.
    """
    module, _, function = call.partition(":")
    prepare = getattr(importlib.import_module(module), function)
    if warm is not None:
        prepare(**warm)()
    work = prepare(**arguments)
    started, spent = time.perf_counter(), cpu_seconds()
    answer = work()
    seconds = time.perf_counter() - started
    measured = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds() - spent,
        "peak_mb": peak_mb(),
    }
    if isinstance(answer, dict):  # some contestants measure by themselves
        measured |= {name: answer.pop(name) for name in tuple(measured) if name in answer}
    return {**measured, "answer": answer}


def cpu_seconds() -> float:
    """Return what this process, those it waited for and those that still run below it computed.

    A gate process works for a run and lives on, maybe in a session of its own.
    """
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used) + _living_below(os.getpid())


def _living_below(pid: int) -> float:
    """Return the CPU seconds of the descendants that live, and of those that they waited for."""
    below: dict[int, list[tuple[int, float]]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            ticks = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            below.setdefault(int(fields[1]), []).append((int(stat.parent.name), ticks))
    total, left = 0.0, [pid]
    while left:
        for child, ticks in below.get(left.pop(), ()):
            total += ticks
            left.append(child)
    return total


def peak_mb() -> float:
    """Return the most memory that this process ever held.

    Linux counts into `ru_maxrss` what the parent held before exec; VmHWM does not.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    print("\n" + json.dumps(run_call(sys.argv[1], *map(json.loads, sys.argv[2:])), default=str))
