"""Every effect the store has on the disk goes through here, so that tests can stop between two.

A file of the store appears whole or not at all: it is written under a temporary name, synced,
then renamed or linked into place, and the folder is synced.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import NamedTuple

from dataops_mesh.errors import FULL

TEMPORARY = ".tmp-"
_ATTEMPTS = 10
_FICLONE = 0x40049409  # ioctl_ficlone(2)
_RANGE, _BLOCK = 2**30, 2**20


class Item(NamedTuple):
    """What a file is, by its name alone.

    Args:
        changed: when its content was written, in seconds.
    """

    path: Path
    bytes: int
    changed: float


def before(effect: str, path: Path) -> None:
    """Do nothing: tests replace this function to crash between any two effects."""


def make_folder(path: Path) -> None:
    """Create the folder and its parents; no error when it exists."""
    if not path.is_dir():
        before("mkdir", path)
        path.mkdir(parents=True, exist_ok=True)


def replace(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write the file whole, in place of an older one.

    Args:
        path: the file.
        data: its new content.
        durable: survive a power cut; a mere hint need not.
    """
    _put(path, data, durable=durable)
    if durable:
        sync_folder(path.parent)


def create(path: Path, data: bytes) -> bool:
    """Write the file whole if it does not exist; tell whether this call created it."""
    for _ in range(_ATTEMPTS):
        temporary = _write_temporary(path, data, durable=True)
        before("link", path)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except FileNotFoundError:  # a collection took the temporary file for a leftover
            continue
        else:
            sync_folder(path.parent)
            return True
        finally:
            remove(temporary)
    raise FileNotFoundError(path)


def write(data: Mapping[Path, bytes]) -> None:
    """Write several files whole, in the place of older ones; all are durable on return."""
    for path, content in data.items():
        _put(path, content, durable=True)
    for folder in sorted({path.parent for path in data}):
        sync_folder(folder)


def read(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        FileNotFoundError: there is none.
    """
    return path.read_bytes()


def stat(path: Path) -> Item | None:
    """Return what a file is; None where there is none."""
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Item(path, state.st_size, state.st_mtime) if S_ISREG(state.st_mode) else None


def listed(folder: Path) -> Iterator[Item]:
    """Iterate over the files right in a folder, in no order, without those not yet in place."""
    with suppress(FileNotFoundError), os.scandir(folder) as found:
        for item in found:
            if item.name.startswith(TEMPORARY) or not item.is_file(follow_symlinks=False):
                continue
            with suppress(FileNotFoundError):  # deleted since it was listed
                state = item.stat(follow_symlinks=False)
                yield Item(Path(item.path), state.st_size, state.st_mtime)


def numbered(folder: Path) -> list[int]:
    """Return the numbers of the files `<number>.json` in a folder, in no order."""
    stems = (item.path.stem for item in listed(folder) if item.path.suffix == ".json")
    return [int(stem) for stem in stems if stem.isdigit()]


def clone(source: Path, target: Path) -> None:
    """Write a new file with the content of another one, of the same blocks where the disk can.

    Its bytes may be others by now: whoever clones looks at what he got.
    """
    before("clone", target)
    with source.open("rb") as old, target.open("xb") as new:
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError:  # another disk, or one that shares no blocks
            _copy(old.fileno(), new.fileno())


def _copy(old: int, new: int) -> None:
    """Copy within the kernel where it can, else through us."""
    try:
        while os.copy_file_range(old, new, _RANGE):
            pass
    except OSError as error:
        if error.errno in FULL:
            raise
        for descriptor in (old, new):
            os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(new, 0)
        while block := os.read(old, _BLOCK):
            while block:
                block = block[os.write(new, block) :]


def move(source: Path, target: Path, *, durable: bool = True) -> None:
    """Rename a synced file or folder into place, atomically."""
    before("rename", target)
    source.replace(target)
    if durable:
        sync_folder(target.parent)


def sync(path: Path) -> None:
    """Force the content of a file to the disk."""
    before("sync", path)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Force the names in a folder to the disk."""
    before("sync", path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def freeze(path: Path) -> None:
    """Take away the permission to write a file that must never change."""
    before("freeze", path)
    path.chmod(0o444)


def shut(folder: Path) -> None:
    """Let nobody but its owner into a folder."""
    before("shut", folder)
    folder.chmod(0o700)


def reopen(folder: Path) -> None:
    """Let into a folder whoever is let into the one that it is in."""
    before("reopen", folder)
    folder.chmod(S_IMODE(folder.parent.stat().st_mode))


def allow(path: Path, mode: int) -> None:
    """Give a file or folder exactly these rights."""
    before("allow", path)
    path.chmod(mode)


def remove(path: Path) -> None:
    """Delete a file; no error when it is gone."""
    before("remove", path)
    path.unlink(missing_ok=True)


def remove_many(paths: Iterable[Path]) -> None:
    """Delete files, in their order; no error for those that are gone."""
    for path in paths:
        remove(path)


def remove_tree(path: Path) -> None:
    """Delete a folder with all it holds, or a file; no error when it is gone."""
    before("remove", path)
    if path.is_dir():
        with suppress(FileNotFoundError):
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def unique_name() -> str:
    """Return a name that nobody else chooses."""
    return uuid.uuid4().hex[:16]


def _put(path: Path, data: bytes, *, durable: bool) -> None:
    """Write the file whole, in place of an older one; its name may not survive a power cut."""
    for _ in range(_ATTEMPTS):
        temporary = _write_temporary(path, data, durable=durable)
        try:
            move(temporary, path, durable=False)
        except FileNotFoundError:  # a collection took the temporary file for a leftover
            continue
        return
    raise FileNotFoundError(path)


def _write_temporary(path: Path, data: bytes, *, durable: bool) -> Path:
    temporary = path.parent / f"{TEMPORARY}{unique_name()}"
    before("write", temporary)
    with temporary.open("xb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    return temporary


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
