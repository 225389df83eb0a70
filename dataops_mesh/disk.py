"""What to do when a disk refuses, in words: full, read-only, or somebody else's."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dataops_mesh.errors import FULL, Problem

SHARED = (
    "let all who write the store be of one group: `chgrp -R GROUP STORE`, `chmod -R g+rwX STORE`, "
    "`chmod g+s` on its folders, and umask 002 for them (027 keeps others from reading it); "
    'docs/production.md, "Who may read and write the store"'
)
_ELSEWHERE = "name a place that you may write, or have whoever it belongs to let you"
_MARKER = "store.json"  # stands in every store
_ROOM = "make room: `DATAOPS_MESH_GRACE=0 mesh store gc --yes`"


def disk_problem(error: OSError) -> Problem:
    """Say what the disk refused, whose the file is where that is why, and what to do."""
    file = error.filename or "the disk"
    if error.errno in FULL:
        return Problem(f"{file}: {error.strerror}", next=_ROOM)
    if isinstance(error, PermissionError):
        path = Path(os.fsdecode(file))
        then = SHARED if _in_store(path) else _ELSEWHERE
        return Problem(f"{file}: {error.strerror}{rights_of(path)}", next=then)
    return Problem(f"{file}: {error.strerror}", next="look at the disk: it is no fault of mesh")


def _in_store(path: Path) -> bool:
    """Tell whether a path is in a store, or in a folder into which nobody may look."""
    for place in (path, *path.absolute().parents):
        try:
            if place.name == _MARKER or (place / _MARKER).exists():
                return True
        except PermissionError:
            if os.path.isdir(place):  # noqa: PTH112 - not a link to where one may not look
                return True
    return False


def rights_of(path: Path) -> str:
    """Return whose a file is and who asks for it, in brackets; of its nearest folder if it is not.

    Empty where even that cannot be known.
    """
    for place in (path, *path.parents):
        with suppress(OSError):
            found = place.stat()
            owner, group = _user(found.st_uid), _group(found.st_gid)
            which = "" if place == path else f"{place} "
            mode = f"{found.st_mode & 0o7777:04o}"
            return (
                f" ({which}belongs to {owner}:{group}, mode {mode}; you are {_user(os.geteuid())})"
            )
    return ""


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
