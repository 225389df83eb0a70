"""The most memory that a process ever held."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_mb() -> int:
    """Return this process's peak in MB.

    Linux counts into `ru_maxrss` what the parent held before exec, which for a test's child is
    the memory of all tests before it; VmHWM begins at exec.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.findall(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)[0]) // 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
