"""New files: all of them or none, and none that is there already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.spec.paths import shown


def write_new(files: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write files that are not there yet, and return them.

    Raises:
        DeclarationError: some of them are there; nothing was written then.
    """
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there:
        raise DeclarationError(
            [
                Problem(f"{path} is there already, and nothing was written", next="move it away")
                for path in there
            ]
        )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        if text.startswith("#!"):
            path.chmod(0o755)
    return tuple(files)


def require_new(files: Iterable[Path], root: Path, then: str) -> None:
    """Make sure that none of the files, and none of the products' folders, is there.

    Args:
        files: to write.
        root: the workspace.
        then: what to do about it.

    Raises:
        DeclarationError: with what is there.
    """
    folders = {file.parent for file in files if file.parent.name != "inputs"}
    there = sorted(folder for folder in folders if folder.exists())
    if there:
        raise DeclarationError(
            Problem(f"{shown(folder, root)} is there, and is not overwritten", next=then)
            for folder in there
        )
