"""Taking the bytes of a file: cloned where the disk can, else copied, and hashed again.

    <store>/captures/<first two>/<name>       the name is the digest of the content
    <restricted>/.captures/<first two>/<name> the name is made of it with the key of that folder

A capture appears whole or not at all, and never changes. Whoever takes one has first noted its
name with his candidate (store/captures/note.py): that keeps it.
"""

from __future__ import annotations

from pathlib import Path
from stat import S_IMODE, S_ISGID, S_IWGRP

from dataops_mesh.errors import StoreError
from dataops_mesh.store import files, restricted
from dataops_mesh.store.captures.content import content_of
from dataops_mesh.store.described import SourceFile
from dataops_mesh.store.restricted import RESTRICTED
from dataops_mesh.store.store import Store

STORE = "store"  # where captures are, beside the restricted folder
PRIVATE = ".captures"  # no domain is called so
_ATTEMPTS, _READ, _OTHERS = 10, 0o444, 0o077
_OWN, _GROUP = 0o700, 0o070


def home_of(store: Store, *, private: bool) -> Path:
    """Return the folder of captures: the store's own, or the restricted one; for us alone.

    Where a group writes the store, the store's own is the group's too.

    Raises:
        StoreError: there is no restricted folder, or everybody may enter it.
    """
    home = restricted.prepare(store) / PRIVATE if private else store.captures
    files.make_folder(home)
    group = 0 if private else _group_of(store)
    mode = S_IMODE(home.stat().st_mode)
    if mode & _OTHERS & ~group:
        files.allow(home, _OWN | (mode & group))
    return home


def _group_of(store: Store) -> int:
    """Return the rights of the store's group, if it may write."""
    mode = S_IMODE(store.root.stat().st_mode)
    return mode & (_GROUP | S_ISGID) if mode & S_IWGRP else 0


def homes(store: Store) -> tuple[Path, ...]:
    """Return the folders of captures that there are and that may be listed here."""
    found = [store.captures]
    if store.restricted is not None and restricted.is_ours(store, store.restricted):
        found.append(store.restricted / PRIVATE)
    return tuple(home for home in found if home.is_dir())


def name_of(store: Store, content: str, *, private: bool) -> str:
    """Return the name of a capture; of a private one nobody can tell the content by it."""
    return restricted.fingerprint(store, content) if private else content


def place(home: Path, name: str) -> Path:
    """Return where a capture is."""
    return home / name[:2] / name


def capture_of(store: Store, file: SourceFile, kept: str) -> Path:
    """Return where the capture of a file is, or would be.

    Raises:
        StoreError: it is in the restricted folder, which is not known here.
    """
    private = kept == RESTRICTED
    home = restricted.root_of(store) / PRIVATE if private else store.captures
    return place(home, file.capture)


def capture_problem(store: Store, file: SourceFile, kept: str) -> str:
    """Return what is wrong with the capture of a file, after every byte of it was read."""
    try:
        path = capture_of(store, file, kept)
        if files.stat(path) is None:
            return f"the capture {path} is missing"
        right = name_of(store, content_of(path), private=kept == RESTRICTED) == file.capture
    except StoreError as error:
        return error.problems[0].what
    except OSError as error:
        return f"the capture of {file.name} cannot be read: {error.strerror}"
    return "" if right else f"the capture {path} has another content than was delivered"


def take(home: Path, path: Path, content: str, name: str) -> bool:
    """Take the bytes of a file, unless they are here; tell whether they are what they should be.

    Args:
        home: the folder of captures.
        path: the file.
        content: the digest that its bytes must have.
        name: of the capture.
    """
    target, size = place(home, name), path.stat().st_size
    for _ in range(_ATTEMPTS):
        there = files.stat(target)
        if there is not None and there.bytes == size:
            return True
        files.make_folder(target.parent)
        temporary = target.parent / f"{files.TEMPORARY}{files.unique_name()}"
        try:
            files.clone(path, temporary)
            if content_of(temporary) != content:
                return False
            files.allow(temporary, S_IMODE(home.stat().st_mode) & _READ)
            files.sync(temporary)
            files.move(temporary, target)
        except FileNotFoundError:
            if not path.exists():
                return False
            continue  # a collection took the temporary file for a leftover
        finally:
            files.remove(temporary)
        return True
    raise FileNotFoundError(target)
