"""What a candidate read, put back: captures under their names, published inputs as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dataops_mesh.engine.source import fingerprint_of
from dataops_mesh.errors import SourceError
from dataops_mesh.run.inputs.bind import Inputs, published_read
from dataops_mesh.run.inputs.late import read_files
from dataops_mesh.run.inputs.own import pin_own
from dataops_mesh.spec.model import InputPort, Product, Source
from dataops_mesh.spec.names import is_own
from dataops_mesh.store import files
from dataops_mesh.store.captures.content import content_of
from dataops_mesh.store.captures.take import capture_of, capture_problem
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.log import Release
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.store.restricted import RESTRICTED
from dataops_mesh.store.store import Store
from dataops_mesh.transform.dbt.project import is_dbt

_UP = "up"


def put_back(
    store: Store, product: Product, manifest: Manifest, scratch: Path
) -> tuple[Product, tuple[str, ...]]:
    """Return the product with its sources read from captures, and what of these is gone.

    A source that was not kept is read where it is, if it is still the same.

    Args:
        store: the store.
        product: by the code that built the candidate.
        manifest: the candidate's.
        scratch: where the files go.
    """
    reads = {read.name: read for read in manifest.inputs if read.address is None}
    ports, gone = list[InputPort](), list[str]()
    for port in product.inputs:
        read = reads.get(port.name)
        if port.source is None or read is None:
            ports.append(port)
        elif not read.kept:
            ports.append(port)
            gone += _not_kept(product, port, read, manifest.partition)
        elif wrong := [p for file in read.files if (p := capture_problem(store, file, read.kept))]:
            gone.append(f'source "{port.name}": {wrong[0]}')
        else:
            source = _put(store, port.source, read, scratch / port.name)
            ports.append(replace(port, source=source))
    return replace(product, inputs=tuple(ports) if not gone else product.inputs), tuple(gone)


def inputs_then(product: Product, manifest: Manifest, release: Release) -> Inputs:
    """Return what a candidate read, of the release that it read; `gone_inputs` is empty."""
    found = {
        port.name: read_files(product, port, manifest.partition)
        for port in product.inputs
        if port.source
    }
    return Inputs(release, manifest.inputs, found, full=manifest.full)


def gone_inputs(product: Product, manifest: Manifest, release: Release) -> Iterator[str]:
    """Yield what the candidate read of others, or of itself, that is not kept any more."""
    now = {
        port.name: published_read(release, port, port.address)
        for port in product.inputs
        if port.address is not None and port.address in release.ports
    }
    own = pin_own(product, release, manifest.partition, full=manifest.full)
    now |= {read.name: read for read in own}
    for read in manifest.inputs:
        if read.address is None or read.candidate is None:
            continue
        there = now.get(read.name) or (_state(release, read) if is_dbt(product) else None)
        if there is None or (there.candidate, there.fingerprint) != (
            read.candidate,
            read.fingerprint,
        ):
            what = "what it had published before" if is_own(read.name) else read.name
            yield f"{what}, publication {read.publication}, is not kept any more"


def _state(release: Release, read: InputRead) -> InputRead | None:
    """Return the publication whose state dbt went on from."""
    entry = release.ports.get(read.address) if read.address else None
    if entry is None:
        return None
    return replace(read, candidate=entry.candidate, fingerprint=entry.fingerprint)


def _not_kept(product: Product, port: InputPort, read: InputRead, key: str) -> Iterator[str]:
    if port.remote is not None:
        yield f'source "{port.name}" was not kept ({read.why}), and is not fetched again'
        return
    try:
        found = [(path.name, content_of(path)) for path in read_files(product, port, key)]
    except (SourceError, OSError):
        found = []
    if not found or fingerprint_of(found) != read.fingerprint:
        why = read.why or "an older version built it"
        yield f'source "{port.name}" was not kept ({why}), and is another one today'


def _put(store: Store, source: Source, read: InputRead, folder: Path) -> Source:
    """Put the files of a source below a folder, and return it as one that is read there."""
    pattern = "*/*" if source.remote else source.path  # as run/inputs/capture.py names them
    deep = max((Path(file.name).parts.count("..") for file in read.files), default=0)
    deep = max(deep, Path(pattern).parts.count(".."))
    base = folder.joinpath(*[_UP] * deep)
    files.make_folder(base)
    for file in read.files:
        target = Path(os.path.normpath(base / file.name))
        files.make_folder(target.parent)
        _give(capture_of(store, file, read.kept), target, private=read.kept == RESTRICTED)
    path = Path(pattern)
    inside = path.relative_to(path.anchor) if path.is_absolute() else path
    return Source(
        str(base / inside), source.format, source.where, None, source.options, source.column
    )


def _give(capture: Path, target: Path, *, private: bool) -> None:
    """Give a capture its name again, without a copy of it where that can be."""
    if private:  # nothing of it comes into the store
        target.symlink_to(capture)
        return
    try:
        target.hardlink_to(capture)
    except OSError:  # a disk without links
        files.clone(capture, target)
