"""The declarations as they are on the disk, read again when a file of them changes."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dataops_mesh.errors import MeshError
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Mesh
from dataops_mesh.web.catalogue import Catalogue, catalogue_of

Load = Callable[[Settings], Mesh]
_SECONDS, _SHARE = 5.0, 50
_FILES = ("pyproject.toml", "policies.yaml", "waivers.yaml")


@dataclass(slots=True)
class Kept:
    """The catalogue that pages are made from: the one thing here that changes.

    Args:
        catalogue: of the newest declarations that could be read.
    """

    catalogue: Catalogue
    _mark: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        """Stop looking at the disk."""
        self._ended.set()


def keep(settings: Settings, load: Load) -> Kept:
    """Read the declarations, and go on looking whether they have changed.

    Args:
        settings: of the workspace.
        load: reads what can be read of the declarations.
    """
    found = mark(settings)
    kept = Kept(catalogue_of(load(settings), settings), found)
    threading.Thread(target=_follow, args=(kept, settings, load), daemon=True).start()
    return kept


def mark(settings: Settings) -> str:
    """Return a digest of the name, size and time of every file of the declarations."""
    found = hashlib.sha256()
    places = [settings.domains_folder, settings.root / "shared"]
    places += [settings.root / one.folder for one in settings.locations.values() if one.folder]
    for place in places:
        for folder, folders, files in os.walk(place):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
            for name in sorted(files):
                _add(found, Path(folder, name))
    for name in _FILES:
        _add(found, settings.root / name)
    return found.hexdigest()


def _add(found: hashlib._Hash, file: Path) -> None:
    try:
        seen = file.stat()
    except OSError:
        return
    found.update(f"{file}\0{seen.st_mtime_ns}\0{seen.st_size}\n".encode())


def _follow(kept: Kept, settings: Settings, load: Load) -> None:
    """Look again and again; it costs at most a fiftieth of a core."""
    wait = _SECONDS
    while not kept._ended.wait(wait):  # noqa: SLF001 - its own module
        started = time.monotonic()
        found = mark(settings)
        wait = max(_SECONDS, (time.monotonic() - started) * _SHARE)
        if found == kept._mark:  # noqa: SLF001 - its own module
            continue
        kept._mark = found  # noqa: SLF001 - its own module
        try:
            kept.catalogue = catalogue_of(load(settings), settings)
        except (MeshError, OSError) as error:
            print(f"note: the declarations stay as they were: {error}", file=sys.stderr)  # noqa: T201 - a server's log
