"""Who and what a run is, for the record: fingerprints of code, the git commit, the person."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dataops_mesh.errors import Problem, TransformError
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.parameters import said_of
from dataops_mesh.transform.code import transform_digest

_DECLARED = ("*.odps.yaml", "*.odcs.yaml", "inputs/*.odcs.yaml")
_IS_FILE = re.compile(r"\S 1[02]0")  # as git lists one, or a link: no repository of its own


def transform_fingerprint(product: Product) -> str:
    """Return a digest of everything that builds the product."""
    return transform_digest(product)


def require_same_code(product: Product, before: str) -> None:
    """Make sure that what built a product is what the record will say: its files as they are.

    Raises:
        TransformError: a file that builds it was edited meanwhile.
    """
    if transform_fingerprint(product) != before:
        what = f"files that build {product.qualified_name} changed while it was built"
        raise TransformError(Problem(what, product.where, next="run it again"))


def code_version(product: Product) -> str:
    """Return a digest of declaration, contracts, transform, parameters: an edit is a version."""
    parts = [
        product.fingerprint,
        *(port.contract.fingerprint for port in product.outputs),
        transform_fingerprint(product),
        *(f"{name}={value}" for name, value in said_of(product)),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def git_commit(folder: Path, root: Path, code: Iterable[Path] = ()) -> str:
    """Return the commit checked out around the workspace, or nothing.

    Args:
        folder: with `+` when files of it differ. A repository of its own is not looked into.
        root: the workspace.
        code: more files that were read, of the workspace or not; `+` when one of the workspace
            differs, is no part of the commit, or git was told not to look at it.
    """
    head = git(root, "rev-parse", "HEAD")
    return head + "+" * _differs(folder, root, code) if head else ""


def _differs(folder: Path, root: Path, code: Iterable[Path]) -> bool:
    """Tell whether what was read is not what the commit has; also where git does not answer."""
    declared = (file for pattern in _DECLARED for file in folder.glob(pattern))
    read = (file for file in (*code, *declared) if file.is_relative_to(root))
    files = frozenset(place for file in read for place in _places(file, root))
    own = frozenset(_places(folder, root))
    looked = {*own, *(file.parent for file in files)}
    highest = sorted(str(one) for one in looked if looked.isdisjoint(one.parents))
    look = ("--literal-pathspecs", "status", "--porcelain", "-z", "--no-renames")
    all_ = ("--ignore-submodules=all", "--ignored=matching", "--untracked-files=all")
    said = _said(root, *look, *all_, "--", *highest)
    listed = _said(root, *look[:1], "ls-files", "-vsz", "--full-name", "--", *highest)
    if said is None or listed is None:
        return True
    top = Path(git(root, "rev-parse", "--show-toplevel") or root)
    entries = [line.partition("\t") for line in listed.split("\0") if line]
    committed = {top / path: head for head, _, path in entries if _IS_FILE.match(head)}
    told = {path for path, head in committed.items() if head[0] == "S" or head[0].islower()}
    changed = [(line[:2], top / line[3:]) for line in said.split("\0") if line]
    changed += [("", path) for path in told if path.exists()]  # git was told not to look
    return not files <= committed.keys() or any(
        path in files or (state != "!!" and not own.isdisjoint((path, *path.parents)))
        for state, path in changed
    )


def _places(path: Path, root: Path) -> Iterator[Path]:
    """Yield where a path really is, and each link that leads there."""
    yield path.resolve()
    for one in (path, *path.parents):
        if one == root:
            return
        if one.is_symlink():
            yield one.parent.resolve() / one.name


# A repository's own configuration names programs that git starts, and a folder of a domain can
# hold a repository that nobody cloned: bare ones are not obeyed, and no program is started.
_HARMLESS = (
    "--no-replace-objects",
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)


def git(folder: Path, *arguments: str) -> str:
    """Return what git says around a folder; nothing where there is none, or it fails."""
    return _said(folder, *arguments) or ""


def _said(folder: Path, *arguments: str) -> str | None:
    """Return what git says around a folder; None where it fails, which is not nothing."""
    command, clean = git_command(folder, *arguments), git_environment()
    try:
        done = subprocess.run(  # noqa: S603 - fixed program and arguments
            command, capture_output=True, timeout=10, check=False, env=clean
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # A file may have a name that is no text.
    return os.fsdecode(done.stdout).strip("\n") if done.returncode == 0 else None


def git_command(folder: Path, *arguments: str) -> list[str]:
    """Return the command that asks git around a folder, and starts no other program."""
    return ["git", *_HARMLESS, "-C", str(folder), *arguments]


def git_environment() -> dict[str, str]:
    """Return our environment without what would send git elsewhere."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "LD_"))}


def person_or_user(person: str) -> str:
    """Return the person that the settings name, or the operating system's user."""
    if person:
        return person
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def library_version() -> str:
    """Return the installed version of this library; nothing for a checkout that runs as it is."""
    try:
        return version("dataops-mesh")
    except PackageNotFoundError:
        return ""


def git_remote(folder: Path) -> str:
    """Return the address that git fetches from around the folder, or nothing."""
    return git(folder, "config", "--get", "remote.origin.url")


def git_top(folder: Path) -> str:
    """Return the top folder of the checkout around the folder, or nothing."""
    return git(folder, "rev-parse", "--show-toplevel")
