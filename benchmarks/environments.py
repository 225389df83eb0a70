"""Interpreters of contestants whose pins exclude ours; `make bench` makes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

SQLMESH = Path(__file__).parents[1] / ".venv-bench" / "sqlmesh" / "bin" / "python"


def interpreter(python: Path, package: str) -> tuple[str, str]:
    """Return the interpreter, and why it is of no use here or nothing."""
    if not python.is_file():
        return str(python), "not installed: `make bench` installs it"
    tried = subprocess.run(
        [python, "-c", f"import {package}"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        said = (tried.stderr.strip() or "it does not start").splitlines()[-1]
        return str(python), f"cannot be imported here: {said}"
    return str(python), ""
