"""Compare the files of a candidate with what its manifest says of them."""

from __future__ import annotations

from dataops_mesh.errors import CorruptError, Problem, StoreError
from dataops_mesh.store import files
from dataops_mesh.store.captures.take import capture_problem
from dataops_mesh.store.described import PortData, Quarantine
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import folder, read_manifest
from dataops_mesh.store.restricted import clear_files, read_clear
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
    for one in manifest.clear:
        try:
            total += sum(path.stat().st_size for path in read_clear(store, manifest, one.port))
        except StoreError as error:
            problems += error.problems
    if problems:
        raise CorruptError(problems)
    return total


def verify_captures(store: Store, ref: str) -> tuple[int, tuple[str, ...]]:
    """Read every capture of the candidate; return how many bytes are right, and what is wrong."""
    total, wrong = 0, []
    for read in read_manifest(store, ref).inputs:
        for file in read.files if read.kept else ():
            if what := capture_problem(store, file, read.kept):
                wrong.append(f'{what} (source "{read.name}")')
            else:
                total += file.bytes
    return total, tuple(wrong)


def lost(store: Store) -> dict[str, str]:
    """Return the products of which consumers by a role miss clear values, each with why."""
    found: dict[str, str] = {}
    release = latest(store)
    for ref in sorted({ref for address in release.ports for ref in release.ports[address].refs}):
        manifest = read_manifest(store, ref)
        for one in manifest.clear:
            try:
                clear_files(store, manifest, one.port, one.columns)
            except StoreError as error:
                found.setdefault(manifest.product, error.problems[0].what)
    return found
