"""Declarations as they were published: the text of every file, found by its digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from dataops_mesh.errors import CorruptError, Problem, StoreError
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

_FOLDER = "declarations"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def write_declaration(store: Store, texts: Mapping[str, str]) -> str:
    """Keep the texts, by their paths in the workspace, and return their digest."""
    data = json.dumps(texts, sort_keys=True, ensure_ascii=False).encode()
    digest = hashlib.sha256(data).hexdigest()
    path = store.root / _FOLDER / digest
    if files.stat(path) is None:
        files.make_folder(path.parent)
        files.create(path, data)
    return digest


def read_declaration(store: Store, digest: str) -> dict[str, str]:
    """Return the texts of a digest, by their paths in the workspace.

    Raises:
        StoreError: it is not in this store.
        CorruptError: it is not what was written.
    """
    path = store.root / _FOLDER / digest
    if not _DIGEST.fullmatch(digest) or files.stat(path) is None:
        raise StoreError(
            Problem(f"the declaration {digest} is not in this store", next="run the product again")
        )
    data = files.read(path)
    if hashlib.sha256(data).hexdigest() != digest:
        raise CorruptError(Problem(f"{path} is not what was written", next="restore the store"))
    found: dict[str, str] = json.loads(data)
    for name in found:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise CorruptError(Problem(f"{path} names a file outside the workspace"))
    return found
