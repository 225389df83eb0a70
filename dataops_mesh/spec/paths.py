"""Paths in declarations: shown short, and kept inside the workspace."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GLOB = re.compile(r"[*?\[]")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def shown(path: Path, root: Path) -> str:
    """Return a path as people see it: relative to the workspace, else to where they are."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 # keeps links as they are written
    for base in (Path(os.path.abspath(root)), Path.cwd()):  # noqa: PTH100 # the same
        if absolute.is_relative_to(base):
            return absolute.relative_to(base).as_posix()
    return str(path)


def path_problem(text: str, folder: Path, root: Path) -> str:
    """Return what is wrong with a path that is relative to a product's folder, or nothing.

    >>> path_problem("../../../../etc/passwd", Path("/w/domains/d/p"), Path("/w"))
    'leaves the workspace'
    """
    problem = text_problem(text)
    if problem:
        return problem
    if Path(text).is_absolute():
        return "must be relative to the product's folder"
    return "" if is_inside(folder / text, root) else "leaves the workspace"


def source_problem(text: str, folder: Path, root: Path, *, package: bool) -> str:
    """Return what is wrong with the path of a source, or nothing.

    >>> source_problem("../secret.csv", Path("/w/d/p"), Path("/w"), package=True)
    'leaves the package'
    """
    problem = text_problem(text)
    if problem:
        return problem
    if _URL.match(text):
        return "is a URL: write `url` instead of `path`"
    if package:
        outside = Path(text).is_absolute() or ".." in Path(text).parts
        return "leaves the package" if outside else ""
    if Path(text).is_absolute():
        return "" if ".." not in Path(text).parts else "may not contain .."
    head = _GLOB.split(text, maxsplit=1)
    if len(head) > 1 and ".." in Path(text[len(head[0]) :]).parts:
        return "may not contain .. after a wildcard"
    return "" if is_inside(folder / head[0], root) else "leaves the workspace"


def text_problem(text: str) -> str:
    """Return what is wrong with the characters of a path, or nothing."""
    if not text or _CONTROL.search(text):
        return "is not a path"
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return "is not a path"
    return "is longer than a path may be" if len(text) > 1000 else ""  # noqa: PLR2004


def first_link(file: Path, top: Path, is_wrong: Callable[[Path], bool]) -> Path:
    """Return the first link on the way from a folder to a file that is wrong; else the file."""
    way = [at for at in reversed(file.parents) if top in at.parents]
    return next((at for at in way if at.is_symlink() and is_wrong(at)), file)


def is_inside(path: Path, root: Path) -> bool:
    """Tell whether a path, with links followed, lies inside the workspace."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False
