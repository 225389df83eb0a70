"""Fingerprints of what is read of a masked port: by everybody, and by each role of its contract.

That of the masked form is of what everybody can read. Those of clear values are made with the key
of the restricted folder, and for one line, product, partition and role: nobody can tell whether
guesses are right by publishing them elsewhere, nor whether two partitions hold the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine.clear import Keep
from dataops_mesh.engine.whole import whole
from dataops_mesh.engine.write import fingerprint_of
from dataops_mesh.spec.checks.masked import masked_columns
from dataops_mesh.spec.model import Contract
from dataops_mesh.spec.roles import opened_by
from dataops_mesh.store import restricted
from dataops_mesh.store.described import PortData
from dataops_mesh.store.forms import MASKED
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.store.store import Store

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Home:
    """Of what the fingerprints of clear values are: of nothing else are they the same."""

    line: str
    product: str
    partition: str


def with_forms(  # noqa: PLR0913, PLR0917 - both forms of a port, and where they are
    con: duckdb.DuckDBPyConnection,
    store: Store,
    home: Home,
    contract: Contract,
    folder: Path,
    masked: PortData,
    clear: str,
    keep: Keep,
) -> PortData:
    """Return a masked port with the fingerprint of each form of it, and of all together.

    Args:
        con: may read the port's files and the clear values.
        store: the store.
        home: whose they are.
        contract: of the port.
        folder: the candidate's folder.
        masked: the masked form.
        clear: the fingerprint of the rows as they were built.
        keep: the clear values that are kept.
    """
    forms = {MASKED: masked.fingerprint}
    for role in filter(None, (one.role for one in contract.roles)):
        opened = opened_by(contract, role)
        if not opened:
            continue
        every = masked_columns(contract) == {*opened}
        content = clear if every else _read(con, folder, masked, keep, opened)
        forms[role] = _keyed(store, home, role, content)
    both = _keyed(store, home, MASKED, masked.fingerprint, clear)
    return replace(masked, fingerprint=both, forms=tuple(forms.items()))


def together(store: Store, before: Manifest, port: PortData, masked: str, clear: str) -> str:
    """Return the fingerprint that a port of a candidate had if it had these forms.

    Args:
        store: the store.
        before: of the candidate, which kept clear values of the port.
        port: as it is described there.
        masked: the fingerprint of the masked form.
        clear: of the rows as they were built.
    """
    if not port.forms:  # of an older version of the library
        return restricted.fingerprint(store, masked, clear)
    home = Home(before.line, before.product, before.partition)
    return _keyed(store, home, MASKED, masked, clear)


def _keyed(store: Store, home: Home, role: str, *content: str) -> str:
    said = [home.line, home.product, home.partition, role, *content]
    return restricted.fingerprint(store, json.dumps(said))


def _read(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    masked: PortData,
    keep: Keep,
    opened: tuple[str, ...],
) -> str:
    """Return the fingerprint of the rows as a role reads them that opens some of the columns."""
    names = [name for name, _ in masked.columns]
    some: Mapping[str, Path] = {name: keep.places[name] for name in opened}
    pairs = [Keep(some).pair(folder / file.path, names) for file in masked.files]
    return fingerprint_of(con, whole(pairs))
