"""Where parsed declarations are kept: in the store's cache, or nowhere."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from dataops_mesh.settings import Settings
from dataops_mesh.spec.kept.kept import Kept
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

_DAY = 24 * 60 * 60.0


def kept_in(settings: Settings, domain: Path) -> Kept:
    """Return what was parsed of a domain; without a store that may be written, nothing is kept.

    Args:
        settings: of the workspace.
        domain: the domain's folder.
    """
    folder = Store(settings.store_folder.absolute()).cache

    def read(name: str) -> bytes | None:
        with suppress(OSError):
            found = (folder / name).read_bytes()
            if time.time() - (folder / name).stat().st_mtime > _DAY:
                os.utime(folder / name)  # a collection keeps what is used
            return found
        return None

    def write(name: str, content: bytes) -> None:
        with suppress(OSError):
            files.replace(folder / name, content, durable=False)

    return Kept(read, write, domain.absolute())
