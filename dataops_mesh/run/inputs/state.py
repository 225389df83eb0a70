"""The state of a dbt product: which one a build goes on from, and what it leaves for the next.

It is that of the candidate that is published in the release that the run pinned, as `self` is: so
a refusal leaves none, and a rollback brings the former one back.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from dataops_mesh.errors import CorruptError, Problem, TransformError
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.checks import dbt_nodes
from dataops_mesh.run.inputs.bind import Inputs
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.names import SELF
from dataops_mesh.store import files
from dataops_mesh.store.described import File, InputRead
from dataops_mesh.store.line.subset import is_subset
from dataops_mesh.store.manifest import describe, folder, read_manifest
from dataops_mesh.transform.confined import plain_file
from dataops_mesh.transform.dbt.project import is_dbt
from dataops_mesh.transform.dbt.state import keeps_state, state_file
from dataops_mesh.transform.walls import Walls


def pin_state(product: Product, walls: Walls, inputs: Inputs) -> Inputs:
    """Return the inputs with the publication whose state the build goes on from, if it keeps any.

    `--full` is dbt's `--full-refresh`: it leaves incremental models out, and no snapshot. So the
    state is read all the same, and on record.
    """
    if not is_dbt(product) or not keeps_state(product, *dbt_nodes(product, walls)):
        return inputs
    address = product.outputs[0].address  # all ports of a product are one candidate
    entry = inputs.release.ports.get(address)
    read = InputRead(SELF, address)
    if entry is not None:
        content = (entry.publication, entry.candidate, entry.fingerprint)
        read = InputRead(SELF, address, *content)
    return replace(inputs, reads=(*inputs.reads, read))


def copy_state(attempt: Attempt, target: Path) -> None:
    """Copy the state that was pinned to where dbt's database is to be; there may be none.

    Raises:
        CorruptError: it is not what the manifest says.
    """
    ref = next((r.candidate for r in attempt.inputs.reads if r.name == SELF and r.candidate), None)
    if ref is None:
        return
    store = attempt.environment.store
    manifest = read_manifest(store, ref)
    if is_subset(store) and not manifest.subset:  # it goes on from few rows, not from all
        return
    for file in manifest.state:
        path = folder(store, ref) / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, target)
        except FileNotFoundError:
            target.touch()
        if files.digest(target) != file.sha256:
            what = f"{path}, the state that the build goes on from, is not what was kept"
            then = f"mesh rollback {attempt.product.qualified_name} --reason ..."
            raise CorruptError(Problem(what, next=f"{then}; `mesh store verify` says what else"))


def left_state(attempt: Attempt) -> tuple[File, ...]:
    """Describe the state that the build has left, now that whoever wrote it is gone.

    Raises:
        TransformError: it is no plain file.
    """
    file = state_file(attempt.folder)
    if not file.parent.exists():
        return ()
    if not plain_file(file) or file.parent.is_symlink():
        what = "the build left no state that is a plain file"
        raise TransformError(Problem(what, attempt.product.where))
    files.sync(file)
    return (describe(attempt.folder, file),)
