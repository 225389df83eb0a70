"""The clear values of masked columns that a role reads: a folder of its own, with its own rights.

    <restricted>/store                          whose it is: the way to the store, so that both can
                                                be moved together, or its whole path
    <restricted>/key                            by which fingerprints are made of clear values
    <restricted>/<ref>/<port>/<n>/part-*.parquet  of one column, row by row what was in the port's
                                                file of that name
    <restricted>/<ref>/<port>/record.json       which columns and files; salted

Nothing outside says a digest of a value by which it could be guessed: the manifest has that of the
record, and the fingerprint of such a port is made with the key. A candidate that is deleted loses
its clear values first.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_IMODE

from dataops_mesh.errors import CorruptError, Problem, StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.described import ClearKept, File
from dataops_mesh.store.manifest import Manifest, describe
from dataops_mesh.store.store import MARKER, Store

_RECORD, _KEY, _OWNER = "record.json", "key", "store"
_EVERYBODY, _READ = 0o007, 0o440
RESTRICTED = "restricted"  # where a manifest says that something is kept
_LENGTH = 32  # of a fingerprint
SETTING = "tool.dataops_mesh.restricted"


@dataclass(frozen=True, slots=True)
class Record:
    """What there is of one port of a candidate.

    Args:
        salt: nobody can tell the record's digest from the values.
    """

    port: Address
    columns: tuple[str, ...]
    files: tuple[File, ...]
    salt: str


def prepare(store: Store) -> Path:
    """Return the restricted folder, made for its owner alone if there is none.

    Raises:
        StoreError: there is no such setting, or everybody may enter the folder.
    """
    root = root_of(store)
    files.make_folder(root.parent)
    if not root.exists():
        files.before("mkdir", root)
        root.mkdir(mode=0o700)
    for problem in _problems(store, root):
        raise StoreError(problem)
    owner = root / _OWNER
    if files.stat(owner) is None:
        files.create(owner, _way(store, root))
    if not is_ours(store, root):
        what = f"{root} keeps the clear values of another store, which {owner} names"
        then = f"name another folder; if the store was moved, write its path into {owner}"
        raise StoreError(Problem(what, key=SETTING, next=then))
    return root


def make_places(
    store: Store, ref: str, address: Address, columns: Sequence[str]
) -> dict[str, Path]:
    """Return for each column of a port the folder of its clear values, made as the whole is."""
    root = prepare(store)
    mode, place = S_IMODE(root.stat().st_mode), root
    for name in (*ref.split("/"), address.port):
        place /= name
        _make(place, mode)
    places = {name: place / str(number) for number, name in enumerate(columns)}
    for one in places.values():
        _make(one, mode)
    return places


def keep(store: Store, ref: str, address: Address, columns: tuple[str, ...]) -> ClearKept:
    """Freeze the files that were written for a port, and return what the manifest says of them."""
    root, place = prepare(store), _place(store, ref, address)
    mode, kept = S_IMODE(root.stat().st_mode) & _READ, []
    for path in sorted(place.glob("*/part-*.parquet")):
        files.sync(path)
        files.allow(path, mode)
        kept.append(describe(place, path))
    said = Record(address, columns, tuple(kept), secrets.token_hex(16))
    files.create(place / _RECORD, record.encode(said))
    files.allow(place / _RECORD, mode)
    return ClearKept(address, columns, files.digest(place / _RECORD))


def fingerprint(store: Store, *forms: str) -> str:
    """Return one fingerprint of several forms of the same rows, that tells nothing of the rows."""
    path = prepare(store) / _KEY
    if files.stat(path) is None and files.create(path, secrets.token_hex(32).encode()):
        files.allow(path, 0o400)
    return hmac.new(files.read(path), "\0".join(forms).encode(), "sha256").hexdigest()[:_LENGTH]


def clear_files(
    store: Store, manifest: Manifest, address: Address, columns: Collection[str]
) -> dict[tuple[str, str], Path]:
    """Return the files of a port's clear values by column and name, after a look at each.

    Raises:
        StoreError: they are not kept, or may not be read here.
        CorruptError: they are not what was kept.
    """
    return _looked_at(store, manifest, address, columns, _is_sound)


def read_clear(store: Store, manifest: Manifest, address: Address) -> tuple[Path, ...]:
    """Return the same files, after every byte of them was read.

    Raises:
        StoreError: as of `clear_files`.
    """
    kept = manifest.kept(address)
    columns = kept.columns if kept else ()
    return tuple(_looked_at(store, manifest, address, columns, _is_whole).values())


def _looked_at(
    store: Store,
    manifest: Manifest,
    address: Address,
    columns: Collection[str],
    sound: Callable[[Path, File], bool],
) -> dict[tuple[str, str], Path]:
    kept, place = manifest.kept(address), _place(store, manifest.candidate, address)
    if kept is None:
        what = f"no clear values of {address} are kept with candidate {manifest.candidate}"
        then = f"mesh run {manifest.product}, by a contract whose role reads unmasked"
        raise StoreError(Problem(what, next=then))
    try:
        path = place / _RECORD
        if files.digest(path) != kept.digest:
            raise CorruptError(_damaged(manifest, address, "record"))
        said = record.decode(Record, files.read(path), path)
        found = {_named(said, one): one for one in said.files}
        wanted = {key: one for key, one in found.items() if key[0] in columns}
        wrong = [one.path for one in wanted.values() if not sound(place / one.path, one)]
    except FileNotFoundError:
        raise CorruptError(_damaged(manifest, address, "a file is missing")) from None
    except PermissionError:
        what = f"the clear values of {address} may not be read by this user"
        then = f"ask who keeps {root_of(store)} for the right to read it"
        raise StoreError(Problem(what, next=then)) from None
    if wrong:
        raise CorruptError(_damaged(manifest, address, ", ".join(wrong)))
    return {key: place / one.path for key, one in wanted.items()}


def remove(store: Store, ref: str, *addresses: Address) -> None:
    """Delete the clear values of a candidate, or of some of its ports; no error if none are."""
    if store.restricted is None:
        return
    for path in [_place(store, ref, one) for one in addresses] or [store.restricted / ref]:
        if path.exists():
            files.remove_tree(path)


def require_known(store: Store, manifest: Manifest) -> None:
    """Make sure that the clear values of a candidate can be deleted here.

    Raises:
        StoreError: there are some, and the setting does not say where.
    """
    if manifest.clear or any(read.kept == RESTRICTED for read in manifest.inputs):
        root_of(store)


def orphans(store: Store) -> Iterator[str]:
    """Yield the candidates that are gone, and of which clear values are left."""
    if store.restricted is not None and is_ours(store, store.restricted):
        for path in sorted(store.restricted.glob("*/*/*")):
            ref = path.relative_to(store.restricted).as_posix()
            if path.is_dir() and not (store.candidates / ref).exists():
                yield ref


def root_of(store: Store) -> Path:
    """Return the restricted folder.

    Raises:
        StoreError: there is no such setting here.
    """
    if store.restricted is None:
        what = "the folder of clear values is not known here"
        raise StoreError(Problem(what, key=SETTING, next="set `restricted` (docs/roles.md)"))
    return store.restricted


def is_ours(store: Store, root: Path) -> bool:
    """Tell whether a restricted folder is that of the store."""
    owner = root / _OWNER
    ways = (_way(store, root), os.fsencode(store.root.resolve()))
    return files.stat(owner) is not None and files.read(owner).strip() in ways


def is_restricted(folder: Path) -> bool:
    """Tell whether a folder is the restricted folder of any store that is there."""
    owner = folder / _OWNER
    try:
        way = os.fsdecode(files.read(owner).strip()) if files.stat(owner) else ""
        return bool(way) and (folder / way / MARKER).is_file()
    except (OSError, ValueError):  # what cannot be read names no store
        return False


def _make(folder: Path, mode: int) -> None:
    files.make_folder(folder)
    files.allow(folder, mode)


def _named(said: Record, file: File) -> tuple[str, str]:
    """Return which column a file is of, and its name."""
    number, _, name = file.path.partition("/")
    return said.columns[int(number)], name


def _way(store: Store, root: Path) -> bytes:
    return os.fsencode(os.path.relpath(store.root.resolve(), root.resolve()))


def _place(store: Store, ref: str, address: Address) -> Path:
    return root_of(store) / ref / address.port


def _problems(store: Store, root: Path) -> Iterator[Problem]:
    where, own = root.resolve(), store.root.resolve()
    if where.is_relative_to(own) or own.is_relative_to(where):
        what = f"{root} and the store lie in each other"
        yield Problem(what, key=SETTING, next="name a folder beside the store")
    elif not root.is_dir():
        yield Problem(f"{root} is no folder", key=SETTING, next="name a folder")
    elif S_IMODE(root.stat().st_mode) & _EVERYBODY:
        yield Problem(f"everybody may enter {root}", key=SETTING, next=f"chmod o= {root}")


def _is_sound(path: Path, file: File) -> bool:
    """Tell whether nobody has touched a file; one that was restored is read."""
    state = path.stat()
    if (state.st_size, state.st_ctime_ns) == (file.bytes, file.changed):
        return True
    return _is_whole(path, file)


def _is_whole(path: Path, file: File) -> bool:
    return path.stat().st_size == file.bytes and files.digest(path) == file.sha256


def _damaged(manifest: Manifest, address: Address, what: str) -> Problem:
    said = f"the clear values of {address} are not what was kept: {what}"
    then = f"mesh run {manifest.product}; its masked form is as it was"
    return Problem(f"{said} (candidate {manifest.candidate})", next=then)
