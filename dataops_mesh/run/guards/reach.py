"""What the source of a product may not be: what the store, a neighbour or the system keeps."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dataops_mesh.errors import Problem, SourceError
from dataops_mesh.export.folder import is_copy
from dataops_mesh.spec.model import InputPort, Product
from dataops_mesh.store.log import identity
from dataops_mesh.store.restricted import is_restricted
from dataops_mesh.store.store import MARKER, Store

_SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev", "/etc")))


def require_reachable(
    store: Store,
    product: Product,
    port: InputPort,
    found: Iterable[Path],
    secrets: Iterable[Path] = (),
) -> None:
    """Make sure that the files of a source are nobody's else, with links followed.

    What others publish is read as an input port, where it is gated, on record and classified.

    Raises:
        SourceError: a file is secret, or lies in a store, another domain's folder or the system's.
    """
    if port.remote is not None:
        return  # fetched by the gate itself, into the store
    kept, asked = tuple(secrets), cache(lambda: identity(store))
    for path in found:
        whose = whose_file(store.root, product.folder, path, kept)
        if not whose and is_copy(path.resolve(), asked()):
            whose = "a copy of what this mesh publishes"
        if whose and not (port.source and port.source.package):
            what = f'source "{port.name}" reads {whose}'
            then = "read what others publish as an input port: `- name: <domain>.<port>`"
            raise SourceError(Problem(what, port.where, key="path", next=then))


def whose_file(store: Path, product: Path, path: Path, secrets: Iterable[Path]) -> str:
    """Return to whom a file belongs, with links followed; nothing if the product may read it.

    Args:
        store: the folder of the store.
        product: the folder of the product.
        path: the file.
        secrets: files and folders that no product may read.
    """
    file = path.resolve()
    if any(file.is_relative_to(secret.resolve()) for secret in secrets):
        return "the secrets of this mesh"
    own = store.resolve()
    around = own.parent if own.parent.name == ".mesh" else own
    if around in file.parents:
        return "the store of this mesh"
    if any((up / MARKER).is_file() and (up / "candidates").is_dir() for up in file.parents):
        return "a store"
    if any(map(is_restricted, file.parents)):
        return "the clear values of a store"
    domain = product.parent.resolve()
    if domain.parent in file.parents and domain not in file.parents:
        return "another domain's folder"
    if any(root in file.parents for root in _SYSTEM):
        return "a folder of the system"
    return ""
