"""Where a file of a product is, as people see it: relative to the workspace."""

from __future__ import annotations

from pathlib import Path

from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.paths import shown


def place(product: Product, file: Path, line: int = 1) -> Location:
    """Return the line of a file, relative to the workspace that the product was loaded from."""
    declared = Path(product.where.file)
    if declared.is_absolute():
        return Location(str(file), line)
    root = product.folder.parents[len(declared.parent.parts) - 1]
    return Location(shown(file, root), line)


def unread(product: Product, file: Path, error: OSError | UnicodeDecodeError) -> Problem:
    """Return why the text of a product's file cannot be read."""
    if isinstance(error, OSError):
        return Problem(f"cannot be read: {error.strerror}", place(product, file))
    line = error.object.count(b"\n", 0, error.start) + 1
    return Problem("is not UTF-8 text", place(product, file, line))
