"""Where a file of a product is, as people see it: relative to the workspace."""

from __future__ import annotations

from pathlib import Path

from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.paths import shown

ASTRAY = "out of the workspace, into another domain, or to what no code may see"


def place(product: Product, file: Path, line: int = 1) -> Location:
    """Return the line of a file, relative to the workspace that the product was loaded from."""
    root = workspace(product)
    return Location(str(file) if root is None else shown(file, root), line)


def workspace(product: Product) -> Path | None:
    """Return the folder of the workspace that the product was loaded from, if it was one."""
    declared = Path(product.where.file)
    return (
        None if declared.is_absolute() else product.folder.parents[len(declared.parent.parts) - 1]
    )


def stray(product: Product, file: Path) -> Problem:
    """Return what is wrong with a file that is a link to where its product may not read."""
    what = f'"{file.name}" is a link {ASTRAY}'
    return Problem(what, place(product, file), next="put a copy of the file there")


def unread(product: Product, file: Path, error: OSError | UnicodeDecodeError) -> Problem:
    """Return why the text of a product's file cannot be read."""
    if isinstance(error, OSError):
        return Problem(f"cannot be read: {error.strerror}", place(product, file))
    line = error.object.count(b"\n", 0, error.start) + 1
    return Problem("is not UTF-8 text", place(product, file, line))
