"""Who stands for an approval or a waiver: the author of the commit that touched it last.

Git is asked of the workspace's repository alone, and its mail map is not: a file of the working
tree could give one person's commits another name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from dataops_mesh.errors import DeclarationError
from dataops_mesh.plan.approval import FOLDER, Approval, read_approvals
from dataops_mesh.policy.load import WAIVERS_FILE, load_waivers
from dataops_mesh.policy.model import Author, Decision, Decisions, Waiver, no_decisions
from dataops_mesh.run.identity import git
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Mesh, Product

_HEAD = re.compile(r"([0-9a-f]{40,64}) \d+ \d+")  # of each line that `git blame` tells
_FORMAT = "%H%x00%an%x00%ae%x00%aI"
_DECLARED = ("*.odps.yaml", "*.odcs.yaml")


def decisions_in(settings: Settings) -> Decisions:
    """Return a function that tells a product's decisions, with who committed them.

    Outside git it tells of none: see `words_only`. What it returns raises a DeclarationError where
    the waivers of a product, or of the workspace, cannot be read.
    """
    root = settings.root
    if not git(root, "rev-parse", "HEAD"):
        return no_decisions

    @cache
    def shared() -> tuple[Waiver, ...]:
        return load_waivers(root, ())

    @cache
    def lines(file: Path) -> tuple[Author | None, ...]:
        return _authors(root, file)

    def told(product: Product) -> tuple[Decision, ...]:
        waivers = (*shared(), *load_waivers(root, (product,), shared=False))
        found = [
            Decision(
                "waiver",
                one.who,
                one.where,
                author=_newest(lines(root / one.where.file)[slice(*_span(one, waivers))]),
                changed=_changed(root, product),
            )
            for one in waivers
            if one.product == product.qualified_name
        ]
        for approval in _approvals(product):
            author = _newest(lines(root / approval.where.file))
            found.append(
                Decision(
                    "approval",
                    approval.approver,
                    approval.where,
                    approval.date,
                    author,
                    _changed(root, product),
                )
            )
        return tuple(found)

    return told


def words_only(mesh: Mesh, settings: Settings) -> int:
    """Return how many names of people stand in files that no commit stands behind: outside git."""
    if git(settings.root, "rev-parse", "HEAD"):
        return 0
    files = [settings.root / WAIVERS_FILE]
    for product in mesh.products:
        files += [product.folder / WAIVERS_FILE, *(product.folder / FOLDER).glob("*.yaml")]
    return sum(file.is_file() for file in files)


def _approvals(product: Product) -> tuple[Approval, ...]:
    try:
        return read_approvals(product)
    except DeclarationError:  # the rule of publication says so
        return ()


def _span(waiver: Waiver, waivers: Sequence[Waiver]) -> tuple[int, int | None]:
    """Return the lines of a waiver in its file: up to the next one."""
    starts = sorted(one.where.line for one in waivers if one.where.file == waiver.where.file)
    later = [line for line in starts if line > waiver.where.line]
    return waiver.where.line - 1, later[0] - 1 if later else None


def _newest(authors: Iterable[Author | None]) -> Author | None:
    """Return who touched lines last; None if one of them is in no commit."""
    found = list(authors)
    if not found or None in found:
        return None
    return max((one for one in found if one), key=lambda one: one.day)


def _authors(root: Path, file: Path) -> tuple[Author | None, ...]:
    """Return the author of each line of a file; None for what is not committed."""
    said = git(root, "blame", "--porcelain", "--", str(file))
    commits = [found[1] for line in said.split("\n") if (found := _HEAD.match(line))]
    real = {commit for commit in commits if commit.strip("0")}
    known: dict[str, Author | None] = {one.commit: one for one in _shown(root, real)}
    count = len(file.read_bytes().splitlines()) if file.is_file() else 0
    return tuple(known.get(commit) for commit in commits) or (None,) * max(count, 1)


def _changed(root: Path, product: Product) -> tuple[Author, ...]:
    """Return the author of the last commit that touched the product's declaration."""
    paths = [str(product.folder / pattern) for pattern in _DECLARED]
    said = git(root, "log", "-1", f"--format={_FORMAT}", "--", *paths)
    return tuple(_author(line) for line in said.splitlines())


def _shown(root: Path, commits: Iterable[str]) -> list[Author]:
    wanted = sorted(commits)
    if not wanted:
        return []
    said = git(root, "log", "--no-walk=unsorted", f"--format={_FORMAT}", *wanted)
    return [_author(line) for line in said.splitlines()]


def _author(line: str) -> Author:
    commit, name, email, at = line.split("\0")
    return Author(name, email, commit, datetime.fromisoformat(at).date())
