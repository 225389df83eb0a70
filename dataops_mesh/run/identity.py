"""Who and what a run is, for the record: fingerprints of code, the git commit, the person."""

from __future__ import annotations

import getpass
import hashlib
import os
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dataops_mesh.errors import Problem, TransformError
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.parameters import said_of
from dataops_mesh.transform.code import transform_digest


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
    if not head:
        return ""
    files = frozenset(file for file in code if file.is_relative_to(root))
    looked = {folder, *(file.parent for file in files)}
    highest = sorted(str(one) for one in looked if looked.isdisjoint(one.parents))
    look = ("status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all")
    said = git(root, *look, "--ignored=matching", "--untracked-files=all", "--", *highest)
    top = Path(git(root, "rev-parse", "--show-toplevel") or root)
    found = [(line[:2], top / line[3:]) for line in said.split("\0") if line]
    listed = git(root, "ls-files", "-v", "-z", "--full-name", "--", *highest).split("\0")
    hidden = [("", top / line[2:]) for line in listed if line[:1] == "S" or line[:1].islower()]
    found += [(state, path) for state, path in hidden if path.exists()]
    differs = any(
        (state != "!!" and path.is_relative_to(folder))
        or path in files
        or any(path in file.parents for file in files)
        for state, path in found
    )
    return head + "+" * differs


# A repository's own configuration names programs that git starts, and a folder of a domain can
# hold a repository that nobody cloned: bare ones are not obeyed, and no program is started.
_HARMLESS = (
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)


def git(folder: Path, *arguments: str) -> str:
    """Return what git says around a folder; nothing where there is none, or it fails."""
    command, clean = git_command(folder, *arguments), git_environment()
    try:
        done = subprocess.run(  # noqa: S603 - fixed program and arguments
            command, capture_output=True, text=True, timeout=10, check=False, env=clean
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip("\n") if done.returncode == 0 else ""


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
