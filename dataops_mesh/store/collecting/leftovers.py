"""What builds and sandboxes that ended have left, and how it goes."""

from __future__ import annotations

import time
from pathlib import Path

from dataops_mesh.store import files, locks
from dataops_mesh.store.line.known import heads_of
from dataops_mesh.store.refs import unwritten
from dataops_mesh.store.scratch import lock_of
from dataops_mesh.store.store import SANDBOXES, Store
from dataops_mesh.store.upgrade.format1 import old_log

DECLARED = "declared-"  # with what a declaration that is kept in the cache begins


def leftovers(stores: list[Store], used: frozenset[str], grace_seconds: float) -> list[Path]:
    """Return what nobody finished, or has closed, and what is as old as the grace period.

    Args:
        stores: the store on each line that lives, production first.
        used: the candidates that somebody uses.
        grace_seconds: how old it must be.
    """
    store = stores[0]
    folders = [store.root, store.pins, store.cache, *(one.catalogs for one in stores)]
    folders += [folder for one in stores for folder in (one.releases, one.pending)]
    every = (*folders, *(path for path in store.tree.iterdir() if path.is_dir()))
    temporary = [path for folder in every for path in folder.glob(f"{files.TEMPORARY}*")]
    dead = [path for path in store.scratch.iterdir() if not locks.is_alive(lock_of(path))]
    announced = [path for one in stores for ref, path in unwritten(one) if ref not in used]
    # An older version that still runs finds there that it may not publish any more.
    # What a location loads is touched (run/kept.py): the rest is of folders that are gone.
    declared = store.cache.glob(f"{DECLARED}*")
    unread = store.fetched.glob("*/*")  # a fetch or a look touches it (fetch/note.py)
    found = (*temporary, *dead, *announced, *old_log(store), *declared, *unread)
    return [
        *(path for path in found if is_older(path, grace_seconds)),
        *_closed(store, {one.line for one in stores}, grace_seconds),
    ]


def _closed(store: Store, alive: set[str], grace_seconds: float) -> list[Path]:
    """Return the folders of sandboxes that were closed, or not opened whole; releases last."""
    found = []
    for folder in (store.root / SANDBOXES, heads_of(store)):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            line = f"{SANDBOXES}/{path.name}"
            last = max(store.on(line).releases.glob("*.json"), default=path)
            if path.is_dir() and line not in alive and is_older(last, grace_seconds):
                found.append(path)
    return found


def remove_leftover(store: Store, path: Path) -> None:
    """Delete what was left, unless somebody began to use it."""
    if path.parent == store.scratch:
        locks.bury(lock_of(path), path)
    elif path.parent == heads_of(store):
        # At once: of half a folder, a commit in flight could take a number that was used.
        away = store.root / f"{files.TEMPORARY}{files.unique_name()}"
        files.move(path, away)
        files.remove_tree(away)
    else:
        files.remove_tree(path)


def is_older(path: Path, seconds: float) -> bool:
    """Tell whether the path is at least that old; a clock that went backwards makes it young."""
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    return age >= seconds and age >= 0
