"""Who and what a run is, for the record: fingerprints of code, the git commit, the person."""

from __future__ import annotations

import getpass
import hashlib
import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.transform.dbt import project_digest
from dataops_mesh.transform.dbt_project import project_folder


def transform_fingerprint(product: Product) -> str:
    """Return a digest of everything that builds the product."""
    if product.transform.kind is TransformKind.DBT:
        return project_digest(project_folder(product))
    digest = hashlib.sha256()
    for file in product.transform.files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def code_version(product: Product) -> str:
    """Return a digest of declaration, contracts and transform: any edit is a new version."""
    parts = [
        product.fingerprint,
        *(port.contract.fingerprint for port in product.outputs),
        transform_fingerprint(product),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def git_commit(folder: Path, root: Path) -> str:
    """Return the commit checked out around the workspace, or nothing.

    Args:
        folder: with `+` when files of it differ. A repository of its own is not looked into.
        root: the workspace.
    """
    head = _git(root, "rev-parse", "HEAD")
    look = ("status", "--porcelain", "--ignore-submodules=all", "--", str(folder))
    return head + ("+" if head and _git(root, *look) else "")


# A repository's own configuration names programs that git starts, and a folder of a domain can
# hold a repository that nobody cloned: bare ones are not obeyed, and no program is started.
_HARMLESS = (
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", *_HARMLESS, "-C", str(folder), *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "LD_"))}
    try:
        done = subprocess.run(  # noqa: S603 - fixed program and arguments
            command, capture_output=True, text=True, timeout=10, check=False, env=clean
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


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
    return _git(folder, "config", "--get", "remote.origin.url")
