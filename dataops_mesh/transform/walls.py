"""What every piece of domain code is confined by, as the workspace's settings have it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.errors import Problem, RunError
from dataops_mesh.settings import Settings
from dataops_mesh.transform.confine import landlock, seccomp
from dataops_mesh.transform.confine.worker import NEEDED_ABI

_SIGNALS_ABI = 6
_CACHE = "dbt"  # below the store's cache: often the store alone may be written


@dataclass(frozen=True, slots=True)
class Walls:
    """How domain code is confined in a workspace.

    Args:
        cache: where parsed dbt projects are kept.
        protected: what no domain code may see, wherever it lies: the store, Dagster's folder.
        required: nothing runs where the kernel cannot confine it.
        seconds: after which a transform is ended; 0 for never.
        python: the interpreter that runs it; None for ours.
    """

    cache: Path
    protected: frozenset[Path]
    required: bool = False
    seconds: float = 0.0
    python: Path | None = None


def walls_of(settings: Settings) -> Walls:
    """Return how domain code is confined in the workspace."""
    return Walls(
        cache=settings.store_folder / "cache" / _CACHE,
        protected=frozenset(path.resolve() for path in settings.hidden_paths),
        required=settings.isolation == "required",
        seconds=settings.transform_limit,
        python=settings.root / settings.python if settings.python else None,
    )


def missing() -> tuple[str, ...]:
    """Return what this machine lacks to confine domain code.

    Below version 3 of Landlock a file that may not be opened can still be truncated.
    """
    found = []
    version = landlock.abi()
    if version < NEEDED_ABI:
        has = f"it has version {version}" if version else "it is not there, or switched off"
        found.append(f"Landlock of version {NEEDED_ABI} (Linux 6.2): {has}")
    if not seccomp.available():
        machine = os.uname()
        found.append(f"a filter of system calls for {machine.sysname} on {machine.machine}")
    return tuple(found)


def may_list() -> bool:
    """Tell whether domain code may list the folders above what it reads; Landlock forbids it."""
    return not landlock.abi()


def described(*, network: bool) -> str:
    """Return for the record by what a transform is confined on this machine."""
    version = landlock.abi()
    parts = ["a process of its own"]
    parts += [f"Landlock {version}"] if version else []
    parts += ["a filter of system calls"] if seccomp.available() else []
    return ", ".join(parts) + ("; with network" if network else "")


def weakness() -> str:
    """Return in one line what is not confined here; empty where all of it is."""
    if lacking := missing():
        return (
            "transforms in Python and dbt are not walled in: they run in a process of their own "
            f"with a clean environment, and no more; this machine lacks {'; '.join(lacking)}"
        )
    if landlock.abi() < _SIGNALS_ABI:
        return "transforms may send signals to processes of the same user (Landlock below 6)"
    return ""


def require(walls: Walls) -> None:
    """Make sure that domain code may run here.

    Raises:
        RunError: the setting `isolation` is `required`, and this machine cannot.
    """
    if walls.required and (lacking := missing()):
        raise RunError(
            Problem(
                f"domain code cannot be confined here: {'; '.join(lacking)}",
                key="tool.dataops_mesh.isolation",
                next='run on Linux 6.2 or newer, or set isolation = "available"',
            )
        )
