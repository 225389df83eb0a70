"""The driver of resources, from the gate's side: who runs one, and what of it is taken.

The process has the product's folder, the network, and the secret of its own connection in memory.
It leaves a file of rows and one of state; nothing in these is opened here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from dataops_mesh.errors import MeshError, RunError, SourceError
from dataops_mesh.fetch.driver import Before, Fetched, Piece, Say, Where
from dataops_mesh.fetch.faults import Refusal
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.checks.withheld import safe_columns
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.remote import called
from dataops_mesh.store import files
from dataops_mesh.store.scratch import scratch_folder
from dataops_mesh.store.store import Store
from dataops_mesh.transform.confined import Access, Answer, Room, confined, plain_file
from dataops_mesh.transform.dlt.job import STATE, TRY, Job
from dataops_mesh.transform.dlt.rows import ROWS
from dataops_mesh.transform.place import place
from dataops_mesh.transform.walls import Walls

_LARGEST = 16_000_000  # bytes of a state: it is held in memory, and kept with each publication
_APART = "read it in a product without masks (`visibility`), and mask in one that reads that"
_EXAMPLE = "as in secrets.toml of dlt: api_key = '...'"


@dataclass(frozen=True, slots=True)
class Resource:
    """dlt, in a process of its own.

    Args:
        store: in which there is room for it.
        product: whose code it is.
        walls: how the workspace confines.
        state: that of the last publication; empty for none.
    """

    store: Store
    product: Product
    walls: Walls
    state: bytes = field(default=b"", repr=False)

    def fetch(self, where: Where, before: Before, into: Path, say: Say) -> Fetched:
        """Run the resource, from the state that was published last."""
        del before, say  # it asks whom it wants, and nobody can say what is new but itself
        with scratch_folder(self.store) as scratch:
            own = scratch.absolute() / "own"
            keeps = _run(self._job(where, own), self._room(where, own))
            rows, state = own / ROWS, own / STATE
            if not plain_file(rows) or not plain_file(state):
                raise Refusal("left no plain file of rows")
            if keeps and is_private(self.product):
                what = "keeps a state, which may hold values that are published masked"
                raise Refusal(what, _APART)
            if state.stat().st_size > _LARGEST:
                raise Refusal(f"keeps a state of more than {_LARGEST / 1e6:.0f} MB")
            left = b"" if is_private(self.product) else state.read_bytes()
            files.move(rows, into / ROWS)
        return Fetched((Piece(ROWS, into / ROWS),), state=left)

    def look(self, where: Where, before: Before) -> None:
        """Say nothing: it would have to be run."""

    def _job(self, where: Where, own: Path) -> Job:
        resource = where.remote.resource
        found = called(resource)
        if found is None:
            raise Refusal(f'"{resource}" names no resource')
        file, name, argument = found
        path = self.product.folder.absolute() / file
        return Job(
            resource=resource,
            file=path,
            shown=place(self.product, path).file,
            name=name,
            argument=argument,
            folder=own,
            secrets=_secrets(where),
            connection=where.remote.connection,
            before=self.state,
            private=is_private(self.product),
        )

    def _room(self, where: Where, own: Path) -> Room:
        name = (called(where.remote.resource) or ("", "", ""))[0]
        folder = self.product.folder.absolute()
        plain = partial(_is_open, self.product, where)
        access = Access(code=(folder,), network=self.product.network, plain=plain)
        file, named = folder / name, "the resource"
        return Room(self.product, self.walls, own, access, "dlt", file=file, called=named)


def _is_open(product: Product, where: Where) -> bool:
    """Tell whether the contract of what is fetched says that all of it is open."""
    contracts = [one.contract for one in product.inputs if one.remote == where.remote]
    columns = [one.columns if one else () for one in contracts]
    return all(some and len(safe_columns(some)) == len(some) for some in columns)


def _run(job: Job, room: Room) -> bool:
    """Run it, and tell what went wrong without what it printed in its traceback: a secret is there.

    Raises:
        SourceError: it raised, or ended otherwise.
    """
    try:
        answer: Answer = confined(("dataops_mesh.transform.dlt.job", "run_resource"), job, room)
    except RunError as error:
        told: MeshError = RunError(error.problems)
    except MeshError as error:
        told = SourceError(replace(one, next=one.next or TRY) for one in error.problems)
    else:
        return bool(answer.value)
    raise told


def _secrets(where: Where) -> dict[str, Any]:
    """Return what the connection says, as dlt's `secrets.toml` would."""
    try:
        return tomllib.loads(where.address)
    except tomllib.TOMLDecodeError:
        what = f'the connection "{where.remote.connection}" is no TOML'
        raise Refusal(what, _EXAMPLE) from None
