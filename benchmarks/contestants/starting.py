"""Starting a process: the interpreter alone, our import, our commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def command(arguments: list[str]) -> Callable[[], Any]:
    """Prepare a command of the interpreter; the work starts it and waits for its end."""
    folder = Path(__file__).parents[2]

    def work() -> Any:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, capture_output=True, check=False
        )
        return {"exit": done.returncode}

    work()  # byte code is compiled, files are in the cache of the system
    return work
