"""Brings a folder to what the log says of a product: whole versions, and one name that switches.

    <folder>/<domain>/<product>/current -> v12          switched by one rename
    <folder>/<domain>/<product>/v12/_mesh.json          what it is
    <folder>/<domain>/<product>/v12/<port>/*.parquet    or <port>.csv

`current` shows all ports of one publication, or is not there. The version before stays, for readers
that have it open, until the next switch; after an erasure none stays.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataops_mesh.disk import disk_problem
from dataops_mesh.engine import sql
from dataops_mesh.errors import ExportError, Location, Problem
from dataops_mesh.export.target import Asked, Brought
from dataops_mesh.export.wanted import Copy, Wanted
from dataops_mesh.store import files, locks

CURRENT = "current"
NOTE = "_mesh.json"
_MINE = ".mesh-export"  # which store's copies these are
_VERSION = re.compile(r"v\d+(-\d+)?")
_LOCK_SECONDS = 600.0


def bring(folder: Path, asked: Asked, where: Location | None = None) -> Brought:
    """Bring the folder of a product to what the log says.

    Args:
        folder: of all products; ours is below it.
        asked: the product.
        where: the line of a contract that names the folder.

    Raises:
        ExportError: it cannot be; `current` is as it was.
    """
    domain, _, product = asked.product.partition(".")
    own = folder / domain / product
    try:
        _make_ours(own, asked, where)
        with locks.exclusive(own / ".lock", seconds=_LOCK_SECONDS), asked.look() as wanted:
            _make_way(own, where)
            return _bring(own, asked, wanted)
    except sql.engine_error() as error:
        _clean_aside(own)
        what = f"{own}: a copy cannot be written: {sql.reason(error)}"
        then = "see that the disk has room; the next `mesh export` tries again"
        raise ExportError(Problem(what, where, next=then)) from None
    except OSError as error:
        found = disk_problem(error)
        raise ExportError(Problem(f"{own}: {found.what}", where, next=found.next)) from None


def _make_ours(own: Path, asked: Asked, where: Location | None) -> None:
    """Make sure that the folder is new, or that we have written all that is in it.

    Raises:
        ExportError: it is somebody else's.
    """
    marker, said = own / _MINE, f"{asked.store} {asked.product}\n".encode()
    theirs = own.is_dir() and any(
        not path.name.startswith(files.TEMPORARY) for path in own.iterdir()
    )
    # Another export that is the first one at this moment has written its marker before all else.
    if theirs and not marker.exists():
        what = f"{own} has files in it that no export has written"
        raise ExportError(Problem(what, where, next="empty it, or choose another path"))
    files.make_folder(own)
    if not files.create(marker, said) and files.read(marker) != said:
        what = f"{own} has the copies of another store"
        raise ExportError(Problem(what, where, next="remove it, or choose another path"))


def is_copy(file: Path, store: str) -> bool:
    """Tell whether a file is a copy that a store has brought here, or nobody can say whose it is.

    Args:
        file: with links followed.
        store: what tells the store from others.
    """
    for folder in file.parents:
        try:
            return files.read(folder / _MINE).decode("utf-8", "replace").split()[:1] == [store]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return True
    return False


def _make_way(own: Path, where: Location | None) -> None:
    """Remove a version that stands in the place of the link: somebody's copy has followed it.

    Raises:
        ExportError: no export has written what stands there.
    """
    current = own / CURRENT
    if current.is_symlink() or not current.exists():
        return
    if not (current / NOTE).is_file():
        what = f"{current} is in the way: no export has written it"
        raise ExportError(Problem(what, where, next="remove it, or choose another path"))
    aside = own / f"{files.TEMPORARY}{files.unique_name()}"
    files.move(current, aside)  # at once: half of it is nobody's
    files.remove_tree(aside)


def _bring(own: Path, asked: Asked, wanted: Wanted) -> Brought:
    shown = _shown(own)
    before = _note(own / shown) if shown else {}
    is_whole = _is_whole(own / shown, before)
    if (before.get("state") == wanted.state and is_whole) or (not before and not wanted.copies):
        _clean(own, {shown, _kept_before(own, shown, wanted)} - {""})
        return Brought(wanted)
    old = {str(name) for name in before.get("ports", {})}
    new = {str(copy.address) for copy in wanted.copies}
    if not wanted.copies:
        files.remove(own / CURRENT)
        files.sync_folder(own)
        _clean(own, set())
        return Brought(wanted, taken=tuple(sorted(old)))
    _clean(own, {shown} - {""})  # what a killed export left
    version = _write(own, asked, wanted)
    aside = own / f"{files.TEMPORARY}{CURRENT}"
    aside.unlink(missing_ok=True)
    aside.symlink_to(version)
    files.move(aside, own / CURRENT)
    _clean(own, {version, _kept_before(own, version, wanted, shown)} - {""})
    rows = sum(copy.rows for copy in wanted.copies)
    return Brought(wanted, tuple(sorted(new)), tuple(sorted(old - new)), rows)


def _is_whole(version: Path, note: dict[str, Any]) -> bool:
    """Tell whether the files of a version are there, as long as they were written."""
    said = (file for port in note.get("ports", {}).values() for file in port["files"])
    sizes = ((files.stat(version / file["path"]), file["bytes"]) for file in said)
    return all(there is not None and there.bytes == size for there, size in sizes)


def _shown(own: Path) -> str:
    """Return the name of the version that readers have; empty if there is none."""
    link = own / CURRENT
    name = link.readlink().name if link.is_symlink() else ""
    return name if (own / name / NOTE).is_file() else ""


def _kept_before(own: Path, version: str, wanted: Wanted, shown: str = "") -> str:
    """Return the older version that stays: of readers that began before the switch.

    None stays that has a port or partition which is not shown any more, or is older than an
    erasure.
    """
    if not version:
        return ""
    known = shown or str(_note(own / version).get("before", ""))
    note = _note(own / known) if known else {}
    now = _note(own / version)
    erased = int(note.get("release", 0)) < wanted.removal
    left_out = any(
        name not in now["ports"] or set(said["parts"]) - set(now["ports"][name]["parts"])
        for name, said in note.get("ports", {}).items()
    )
    return known if note and not erased and not left_out else ""


def _write(own: Path, asked: Asked, wanted: Wanted) -> str:
    """Write a whole version aside, and give it its name once it is on the disk."""
    aside = own / f"{files.TEMPORARY}{files.unique_name()}"
    files.make_folder(aside)
    ports: dict[str, Any] = {}
    for copy in wanted.copies:
        target = aside / copy.address.port
        files.make_folder(target)
        written = list(_written(copy, target, asked))
        for path in written:
            files.sync(path)
        files.sync_folder(target)
        ports[str(copy.address)] = {
            "publication": copy.publication,
            "rows": copy.rows,
            "columns": dict(copy.columns),
            "parts": list(copy.parts),
            "files": [
                {
                    "path": str(path.relative_to(aside)),
                    "bytes": path.stat().st_size,
                    "sha256": files.digest(path),
                }
                for path in written
            ],
        }
    note = {"product": wanted.product, "release": wanted.release, "state": wanted.state}
    said = {**note, "before": _shown(own), "ports": ports}
    files.replace(aside / NOTE, json.dumps(said, indent=2).encode())
    version = _name(own, max(copy.publication for copy in wanted.copies))
    files.move(aside, own / version)
    return version


def _written(copy: Copy, target: Path, asked: Asked) -> Iterator[Path]:
    """Write the files of a port."""
    if copy.export.format == "parquet" and copy.alike:
        for number, file in enumerate(copy.files):
            path = target / f"part-{number}.parquet"
            files.before("copy", path)
            shutil.copyfile(file, path)
            yield path
        return
    path = target / f"{copy.address.port}.{copy.export.format}"
    options = "FORMAT csv, HEADER true" if copy.export.format == "csv" else "FORMAT parquet"
    files.before("copy", path)
    asked.con.execute(f"COPY (FROM {copy.relation}) TO {sql.literal(path)} ({options})")
    yield path


def _name(own: Path, publication: int) -> str:
    again, name = 1, f"v{publication}"
    while (own / name).exists():
        again += 1
        name = f"v{publication}-{again}"
    return name


def _clean(own: Path, kept: set[str]) -> None:
    """Delete the versions that nobody needs, and what a killed export left."""
    for path in own.iterdir():
        if path.name.startswith(files.TEMPORARY) or (
            _VERSION.fullmatch(path.name) and path.name not in kept
        ):
            files.remove_tree(path) if not path.is_symlink() else files.remove(path)


def _clean_aside(own: Path) -> None:
    """Delete what was being written."""
    for path in own.glob(f"{files.TEMPORARY}*"):
        if path.is_dir() and not path.is_symlink():
            files.remove_tree(path)


def _note(version: Path) -> dict[str, Any]:
    try:
        found = json.loads(files.read(version / NOTE))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
