"""Up to which number releases were removed: these numbers are never used again."""

from __future__ import annotations

from pathlib import Path

from dataops_mesh.errors import FULL
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

_FLOOR = "floor"


def floor(store: Store) -> int:
    """Return the number of the newest release that was ever removed; 0 if none was."""
    return number_in(store.releases / _FLOOR) or 0


def raise_floor(store: Store, number: int) -> None:
    """Use a number up, before its release is removed.

    After a power cut no commit is left that could have stalled; on a full disk its pin alone
    keeps the number.
    """
    try:
        files.replace(store.releases / _FLOOR, str(number).encode(), durable=False)
    except OSError as error:
        if error.errno not in FULL:
            raise


def number_in(path: Path) -> int | None:
    """Return the number that a small file holds, if it does."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
