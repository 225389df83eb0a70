"""What only one workspace has: a random token in its own folder, and whether its store is in it."""

from __future__ import annotations

import hashlib
import re
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from dataops_mesh.store import files

MOUNTS = Path("/proc/self/mountinfo")
_POINT = 4  # the field of a line that says where something is mounted
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MODE = 0o640
PLACE = ".mesh/place"  # from the workspace's folder


def digest_of(token: Path) -> str:
    """Return the digest of a workspace's token; nothing where there is none that can be read."""
    try:
        text = files.read(token).strip()
    except OSError:
        return ""
    return hashlib.sha256(text).hexdigest() if text else ""


def made(token: Path) -> str:
    """Return the digest of a workspace's token, which is made if there is none.

    Nothing where it cannot be: then the workspace is known by its whole path alone.
    """
    with suppress(OSError):
        files.make_folder(token.parent)
        if not token.exists() and files.create(token, secrets.token_hex(32).encode()):
            files.allow(token, _MODE)
    return digest_of(token)


def is_within(root: Path, store: Path) -> bool:
    """Tell whether a store is a part of a folder: moved with it, and no link or mount leads there.

    Args:
        root: the folder.
        store: the store's folder.
    """
    home, kept = root.resolve(), store.resolve()
    if not kept.is_relative_to(home):
        return False
    points = mounted()
    if points is None:
        return False
    below = (one for one in points if one != home and one.is_relative_to(home))
    return not any(kept.is_relative_to(one) or one.is_relative_to(kept) for one in below)


def mounted() -> tuple[Path, ...] | None:
    """Return where anything is mounted; None where nobody can tell."""
    try:
        lines = MOUNTS.read_bytes().decode(errors="surrogateescape").splitlines()
        points = [line.split(" ")[_POINT] for line in lines]
    except (OSError, IndexError):
        return None if sys.platform == "linux" else ()  # elsewhere nothing is bound to a folder
    return tuple(Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), one)) for one in points)
