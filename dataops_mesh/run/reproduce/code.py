"""The code that built a candidate: today's files if they are the same, else those of its commit."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from dataops_mesh.errors import MeshError
from dataops_mesh.run.identity import code_version
from dataops_mesh.run.reproduce.revision import unpack
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.model import Product
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.transform.validate import transform_problems

TODAY = "today's files, which are those on record"
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Code:
    """A product as it was, or why it is not there.

    Args:
        told: where its files come from.
        gone: why they are not there.
    """

    product: Product | None = None
    told: str = ""
    gone: str = ""


def code_of(product: Product, manifest: Manifest, root: Path, target: Path) -> Code:
    """Return the product by the code that built a candidate.

    Args:
        product: as it is declared today.
        manifest: the candidate's.
        root: the workspace.
        target: an empty folder for the files of a commit.
    """
    today = _with_values(product, manifest)
    if code_version(today) == manifest.code_version:
        return Code(today, TODAY)
    commit, dirty = manifest.git_commit.rstrip("+"), manifest.git_commit.endswith("+")
    if not commit or dirty:
        what = f"commit {commit[:_SHORT]} and files that were not in it" if dirty else "no commit"
        return Code(gone=f"it was built from {what}, and its code or contract has changed since")
    there = unpack(root, commit, target)
    if there is None:
        return Code(gone=f"commit {commit[:_SHORT]}, by which it was built, is not in this clone")
    folder = there / product.folder.resolve().relative_to(root.resolve())
    if not folder.is_dir():
        return Code(gone=f"commit {commit[:_SHORT]} has no folder {folder.relative_to(there)}")
    try:
        then = _with_values(load_product(folder, there), manifest)
        wrong = tuple(transform_problems(then))
    except MeshError as error:
        wrong = error.problems
    if wrong:
        return Code(gone=f"commit {commit[:_SHORT]} is not valid any more: {wrong[0].what}")
    if code_version(then) != manifest.code_version:
        what = "its code, contract or environment is another one than on record"
        return Code(gone=f"{what}, in commit {commit[:_SHORT]} too")
    return Code(then, f"commit {commit[:_SHORT]}")


def _with_values(product: Product, manifest: Manifest) -> Product:
    """Return the product with the parameters that the candidate was built with."""
    values = tuple((name, json.loads(text)) for name, text in manifest.parameters)
    return replace(product, parameters=values)
