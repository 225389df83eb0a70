"""What is around a transform: sources that are not there, code that does not import."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dataops_mesh.engine.source import resolve
from dataops_mesh.errors import MeshError, Problem, SourceError
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.transform.confined import Access, Room, confined

_MISSING = re.compile(r"No module named '(\w+)'")

if TYPE_CHECKING:
    from dataops_mesh.transform.walls import Walls


def source_notes(product: Product) -> tuple[Problem, ...]:
    """Return which sources are not there: no mistake of the declaration, and a run would fail."""
    found: list[Problem] = []
    for port in product.inputs:
        source = port.source  # what is fetched is looked for by the gate alone
        if source is not None and not source.is_cut and source.remote is None:
            try:
                resolve(source, product.folder)
            except SourceError as error:
                found += error.problems
            except OSError:
                continue
    return tuple(found)


def import_problems(product: Product, walls: Walls) -> tuple[Problem, ...]:
    """Return why a Python transform cannot be imported; tried in a confined process."""
    if product.transform.kind is not TransformKind.PYTHON:
        return ()
    note = _imported_before(product, walls)
    if note.exists():
        return ()
    with TemporaryDirectory(prefix="mesh-") as folder:
        room = Room(product, walls, Path(folder) / "own", Access(code=(product.folder.absolute(),)))
        try:
            confined(("dataops_mesh.transform.python", "import_transform"), _file(product), room)
        except MeshError as error:
            return tuple(map(_unimported, error.problems))
    with suppress(OSError):  # a folder that may only be read: imported again next time
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    return ()


def _unimported(problem: Problem) -> Problem:
    what = problem.what.replace("raised", "cannot be imported:", 1)
    missing = _MISSING.search(what)
    if missing is None:
        return Problem(what, problem.where)
    then = f"install it, or put {missing[1]}.py into a folder `shared` (docs/shared.md)"
    return Problem(what, problem.where, next=then)


def _file(product: Product) -> Path:
    (file,) = product.transform.files
    return file.absolute()


def _imported_before(product: Product, walls: Walls) -> Path:
    """Return the note that this code was imported by this interpreter, with these packages."""
    folders = (product.folder, *product.shared)
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    packages = [Path(entry) for entry in sys.path if Path(entry).is_dir()]
    known = [
        [sys.version, str(walls.python), product.network],
        [(str(file), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files],
        [(str(folder), folder.stat().st_mtime_ns) for folder in packages],
    ]
    return walls.cache / "imported" / hashlib.sha256(json.dumps(known).encode()).hexdigest()
