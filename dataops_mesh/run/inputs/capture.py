"""Captures: the bytes of sources are kept with what is built from them, if they may be.

A product that masks columns, or reads them unmasked, keeps only fingerprints of its sources: the
store has no clear value of what it masks. One that says `capture: keep` has them in the restricted
folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dataops_mesh.disk import disk_problem
from dataops_mesh.engine.source import base_of, content, fingerprint_of
from dataops_mesh.errors import Problem, SourceError
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.guards.capture import why_not_kept
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.model import Capture, InputPort
from dataops_mesh.store.captures.note import noted, write_note
from dataops_mesh.store.captures.take import STORE, home_of, name_of, take
from dataops_mesh.store.described import InputRead, SourceFile
from dataops_mesh.store.restricted import RESTRICTED


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a source: where it is, what is in it, and what is on record of it."""

    path: Path
    content: str
    said: SourceFile


def with_captures(attempt: Attempt) -> Attempt:
    """Return the attempt with the files of its sources on record, and kept if they may be.

    Raises:
        SourceError: a source was delivered anew since it was pinned; or it says `capture: keep`,
            and the disk takes it not.
    """
    inputs, found = attempt.inputs, dict[str, InputRead]()
    for port, read in _sources(attempt):
        files = tuple(_files(attempt, port))
        if fingerprint_of((one.path.name, one.content) for one in files) != read.fingerprint:
            raise SourceError(_changed(port))
        found[port.name] = _captured(attempt, port, read, files)
    reads = (found.get(read.name, read) for read in inputs.reads)
    return replace(attempt, inputs=replace(inputs, reads=tuple(reads)))


def _sources(attempt: Attempt) -> Iterator[tuple[InputPort, InputRead]]:
    reads = {read.name: read for read in attempt.inputs.reads if read.address is None}
    for port in attempt.product.inputs:
        if port.source is not None and port.name in reads:
            yield port, reads[port.name]


def _files(attempt: Attempt, port: InputPort) -> Iterator[_File]:
    if port.source is None:
        return
    remote = port.source.remote is not None
    base = Path() if remote else base_of(port.source, attempt.product.folder)
    for number, path in enumerate(attempt.inputs.source_files[port.name]):
        # What was fetched lies wherever the cache keeps it.
        name = f"{number:06}/{path.name}" if remote else os.path.relpath(path.absolute(), base)
        size = path.stat().st_size
        yield _File(path, content(attempt.environment.store, path), SourceFile(name, size))


def _captured(
    attempt: Attempt, port: InputPort, read: InputRead, files: tuple[_File, ...]
) -> InputRead:
    """Return what is on record of a source, after its bytes were taken or were not."""
    said = tuple(one.said for one in files)
    private = is_private(attempt.product)
    source, store = port.source, attempt.environment.store
    if source is None:
        return read
    size, settings = sum(one.bytes for one in said), attempt.environment.settings
    why = why_not_kept(attempt.product, source, size, settings)
    if why:
        return replace(read, files=said, why=why)
    before = noted(store, attempt.ref)
    try:
        names = [name_of(store, one.content, private=private) for one in files]
        write_note(store, attempt.ref, {*before, *names})
        home = home_of(store, private=private)
        for one, name in zip(files, names, strict=True):
            if not take(home, one.path, one.content, name):
                raise SourceError(_changed(port))
    except OSError as error:
        told = disk_problem(error)
        if source.capture is Capture.KEEP:
            what = f'source "{port.name}" says `capture: keep` and cannot be kept: {told.what}'
            raise SourceError(Problem(what, source.where, "capture", next=told.next)) from None
        return replace(read, files=said, why=f"it could not be kept: {told.what}")
    taken = tuple(replace(one.said, capture=name) for one, name in zip(files, names, strict=True))
    return replace(read, files=taken, kept=RESTRICTED if private else STORE)


def _changed(port: InputPort) -> Problem:
    then = "run the product again when the delivery is complete"
    return Problem(f'source "{port.name}" changed while it was read', port.where, next=then)
