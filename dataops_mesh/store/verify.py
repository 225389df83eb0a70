"""Compare the files of a candidate with what its manifest says of them."""

from __future__ import annotations

from dataops_mesh.errors import CorruptError, Problem
from dataops_mesh.store import files
from dataops_mesh.store.described import PortData, Quarantine
from dataops_mesh.store.manifest import folder, read_manifest
from dataops_mesh.store.store import Store


def verify(store: Store, ref: str) -> int:
    """Read every file of the candidate and return how many bytes were found right."""
    manifest = read_manifest(store, ref)
    root = folder(store, ref)
    problems = []
    total = 0
    found: tuple[PortData | Quarantine, ...] = (*manifest.ports, *manifest.quarantines)
    for port in found:
        for file in port.files:
            path = root / file.path
            if files.stat(path) is None:
                what = f"{path} of {port.address} is missing"
            elif files.digest(path) != file.sha256:
                what = f"{path} of {port.address} has another content than its manifest says"
            else:
                total += file.bytes
                continue
            problems.append(Problem(what, next="roll the product back, or run it again"))
    if problems:
        raise CorruptError(problems)
    return total
