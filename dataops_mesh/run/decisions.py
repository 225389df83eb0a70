"""Who stands for an approval or a waiver: the author of the commit that touched it last.

Git is asked of the workspace's repository alone, and its mail map is not: a file of the working
tree could give one person's commits another name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.plan.approval import FOLDER, Approval, read_approvals
from dataops_mesh.policy.evaluate import RETIRED
from dataops_mesh.policy.load import WAIVERS_FILE, load_waivers
from dataops_mesh.policy.model import Author, Decision, Decisions, Waiver, no_decisions
from dataops_mesh.run.identity import git
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Mesh, Product, Transform, TransformKind
from dataops_mesh.spec.paths import shown
from dataops_mesh.spec.read.product import PRODUCT_FILE

_HEAD = re.compile(r"([0-9a-f]{40,64}) \d+ \d+")  # of each line that `git blame` tells
_FORMAT = "%H%x00%an%x00%ae%x00%aI"
_DECLARED = ("*.odps.yaml", "*.odcs.yaml")
# Which commits blame passes over is said by a file that anybody may edit.
_BLAME = ("blame", "--ignore-revs-file=")
_BREAK = re.compile("[\r\x85\u2028\u2029]")  # besides the one that git knows


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

    @cache
    def came(file: Path) -> tuple[Author | None, ...]:
        # What was moved here by somebody else was never said of this product.
        return _shown(root, "-1", "--no-renames", "--diff-filter=A", "--", str(file))

    def newest(where: Location, span: slice) -> Author | None:
        file = root / where.file
        beside = came(file) if file.parent != root else ()
        return _newest(root, lines(file)[span], beside)

    def told(product: Product) -> tuple[Decision, ...]:
        waivers = (*shared(), *load_waivers(root, (product,), shared=False))
        found = [
            Decision(
                "waiver",
                one.who,
                one.where,
                author=newest(one.where, _span(one, waivers)),
                changed=_changed(root, product),
            )
            for one in waivers
            if one.product == product.qualified_name
        ]
        found += [
            Decision(
                "approval",
                one.approver,
                one.where,
                one.date,
                newest(one.where, slice(None)),
                _changed(root, product),
            )
            for one in _approvals(product)
        ]
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


def former_products(mesh: Mesh, settings: Settings) -> tuple[Product, ...]:
    """Return what is declared no more and has approvals in its folder: that it may end."""
    places = {domain.name: domain.folder for domain in mesh.domains}
    domains = settings.domains_folder
    here = {one.name: one for one in sorted(domains.iterdir())} if domains.is_dir() else {}
    return tuple(
        _former(name, folder, settings.root)
        for name, place in (here | places).items()
        for folder in sorted({file.parent.parent for file in place.glob(f"*/{FOLDER}/*.yaml")})
        if not (folder / PRODUCT_FILE).exists()
    )


def _former(domain: str, folder: Path, root: Path) -> Product:
    where = Location(shown(folder / PRODUCT_FILE, root), 1)
    nothing = Transform(TransformKind.SQL, ())
    name = folder.name
    return Product(domain, name, "", "", folder, where, "", (), nothing, status=RETIRED)


def _approvals(product: Product) -> tuple[Approval, ...]:
    try:
        return read_approvals(product)
    except DeclarationError:  # the rule of publication says so
        return ()


def _span(waiver: Waiver, waivers: Sequence[Waiver]) -> slice:
    """Return the lines of a waiver in its file: up to the next one."""
    starts = sorted(one.where.line for one in waivers if one.where.file == waiver.where.file)
    later = [line for line in starts if line > waiver.where.line]
    return slice(waiver.where.line - 1, later[0] - 1 if later else None)


def _newest(
    root: Path, lines: Sequence[Author | None], beside: Sequence[Author | None] = ()
) -> Author | None:
    """Return who touched lines last, by the history; None if one of them is in no commit.

    Args:
        root: of the workspace.
        lines: who touched each.
        beside: who did something else with them.
    """
    found = {one.commit: one for one in (*lines, *beside) if one is not None}
    if not lines or None in lines:
        return None
    if len(found) == 1:
        return next(iter(found.values()))
    last = git(root, "rev-list", "--topo-order", "--max-count=1", *sorted(found))
    return found.get(last)


def _authors(root: Path, file: Path) -> tuple[Author | None, ...]:
    """Return the author of each line of a file, as YAML counts lines; None for no commit's."""
    said = git(root, *_BLAME, "--porcelain", "--", str(file))
    commits = [found[1] for line in said.split("\n") if (found := _HEAD.match(line))]
    known = dict.fromkeys(commit for commit in commits if commit.strip("0"))
    shown = _shown(root, "--no-walk=unsorted", *known) if known else ()
    by = {one.commit: one for one in shown if one.commit not in _cut_off(root)}
    texts = file.read_bytes().decode("utf-8", "replace").split("\n") if file.is_file() else []
    return tuple(
        by.get(commit)
        for commit, text in zip(commits, texts, strict=False)
        for _ in range(1 + len(_BREAK.findall(text.removesuffix("\r"))))
    )


def _cut_off(root: Path) -> frozenset[str]:
    """Return the commits at which a shallow clone ends: of these it knows no change."""
    if git(root, "rev-parse", "--is-shallow-repository") != "true":
        return frozenset()
    file = root / git(root, "rev-parse", "--git-path", "shallow")
    return frozenset(file.read_text("utf-8").split())


def _changed(root: Path, product: Product) -> tuple[Author, ...]:
    """Return the authors of the last commits on the declaration, and on what it includes."""
    paths = [str(product.folder / pattern) for pattern in _DECLARED]
    shared = [str(file) for file in product.included]
    found = _shown(root, "-1", "--", *paths)
    return (*found, *(_shown(root, "-1", "--", *shared) if shared else ()))


def _shown(root: Path, *which: str) -> tuple[Author, ...]:
    said = git(root, "-c", "log.follow=false", "log", f"--format={_FORMAT}", *which)
    return tuple(_author(line) for line in said.split("\n") if line)


def _author(line: str) -> Author:
    commit, name, email, at = line.split("\0")
    return Author(name, email, commit, datetime.fromisoformat(at).date())
