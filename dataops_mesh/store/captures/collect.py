"""Deleting captures that no candidate needs any more, while others are being taken.

A capture is first set aside, then the notes are read again, then it is deleted or put back.
Whoever takes one has noted it before he looks whether it is here. So either he looked before it
was set aside, and then the notes that are read again have his; or he finds none, and takes it
anew. Nobody waits for anybody, and what a crash has left aside the next collection decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from dataops_mesh.store import files
from dataops_mesh.store.captures.note import named
from dataops_mesh.store.captures.take import homes, place
from dataops_mesh.store.collecting.leftovers import is_older
from dataops_mesh.store.files import Item
from dataops_mesh.store.store import Store

_ASIDE = "aside"
Within = Callable[[Item], AbstractContextManager[None]]


def unneeded(store: Store, gone: frozenset[str] = frozenset()) -> tuple[Item, ...]:
    """Return the captures that nobody needs, once some candidates are gone."""
    needed = named(store.root, gone)
    every = (item for home in homes(store) for item in (*captures_in(home), *_aside(home)))
    return tuple(item for item in every if item.path.name not in needed)


@contextmanager
def _raised(_item: Item) -> Iterator[None]:
    yield


def delete_unneeded(
    store: Store, grace_seconds: float = 0.0, within: Within = _raised
) -> tuple[Item, ...]:
    """Delete the captures that nobody needs, and what was half taken; return the captures.

    Args:
        store: the store.
        grace_seconds: how old it must be that was half taken.
        within: what becomes of an error; nothing, unless somebody goes on past it.
    """
    needed, deleted = named(store.root), list[Item]()
    for home in homes(store):
        for item in captures_in(home):
            if item.path.name not in needed:
                with within(item):
                    _set_aside(home, item.path)
        aside = tuple(_aside(home))
        again = named(store.root) if aside else frozenset[str]()  # after they were listed
        for item in aside:
            with within(item):
                if item.path.name in again:
                    _put_back(home, item.path)
                else:
                    files.remove(item.path)
                    deleted.append(item)
        for path in home.glob(f"*/{files.TEMPORARY}*"):
            if is_older(path, grace_seconds):
                with within(Item(path, 0, 0.0)):
                    files.remove(path)
    return tuple(deleted)


def captures_in(home: Path) -> Iterator[Item]:
    """Iterate over the captures of a folder."""
    for folder in _folders(home):
        yield from files.listed(folder)


def size_of(items: Iterable[Item]) -> int:
    """Return the size of captures."""
    return sum(item.bytes for item in items)


def _folders(home: Path) -> Iterator[Path]:
    return (path for path in home.glob("??") if path.is_dir())


def _aside(home: Path) -> Iterator[Item]:
    return files.listed(home / _ASIDE)


def _set_aside(home: Path, path: Path) -> None:
    files.make_folder(home / _ASIDE)
    with suppress(FileNotFoundError):  # somebody else collects, too
        files.move(path, home / _ASIDE / path.name, durable=False)


def _put_back(home: Path, path: Path) -> None:
    target = place(home, path.name)
    if files.stat(target) is not None:
        files.remove(path)
        return
    files.make_folder(target.parent)
    with suppress(FileNotFoundError):
        files.move(path, target)
