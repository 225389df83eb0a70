"""Late rows: a partition is built from its own delivery and from those that may bring rows of it.

With `lookback: 2`, the deliveries of Tuesday and Wednesday are read for Monday too, and of each
only Monday's rows. So no row is lost or in two partitions, and a row that comes later than that,
or of a day that has no delivery of its own, is refused where it arrives; or, where the contract
says so, read with its delivery and set aside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dataops_mesh.engine.session import bind_source, narrow, session_in
from dataops_mesh.engine.source import fingerprint, resolve
from dataops_mesh.engine.sql import identifier
from dataops_mesh.errors import SourceError
from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.making import fingerprint as check_fingerprint
from dataops_mesh.spec.checks.measures import Query
from dataops_mesh.spec.model import ZERO, InputPort, Product, Severity
from dataops_mesh.spec.names import delivered
from dataops_mesh.spec.nearby import Window, nearby, window_of
from dataops_mesh.spec.partition import Partition, Partitioning
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

if TYPE_CHECKING:
    import duckdb


def late_ports(product: Product) -> tuple[InputPort, ...]:
    """Return the sources whose deliveries may bring rows of earlier partitions."""
    cut = product.partitioning
    if cut is None or not cut.lookback:
        return ()
    return tuple(p for p in product.inputs if p.source is not None and p.source.is_cut)


def read_files(product: Product, port: InputPort, key: str) -> tuple[Path, ...]:
    """Return the files of a source that a partition reads: its own, and those with late rows.

    Raises:
        SourceError: its own are missing.
    """
    if port.source is None:
        return ()
    found = list(resolve(port.source, product.folder, key))
    for piece in _after(product, port, key):
        found += _there(product, port, piece)
    return tuple(dict.fromkeys(found))


def window(product: Product, port: InputPort, key: str) -> Window | None:
    """Return which rows of these files are the partition's; None if nobody asked to look."""
    cut = product.partitioning
    if cut is None or port not in late_ports(product):
        return None
    found = window_of(_column(port, cut), nearby(cut, key))
    if cut.quarantine is None:
        return found
    reach = _condition(_column(port, cut), _reach(product, port, cut, key))
    return replace(found, beyond=f"NOT coalesce({reach}, false)")


def windows(product: Product, key: str) -> dict[str, Window]:
    """Return the windows of all sources that have one, by the input port's name."""
    found = {port.name: window(product, port, key) for port in late_ports(product)}
    return {name: one for name, one in found.items() if one is not None}


def late_checks(product: Product, piece: Partition | None) -> tuple[Check, ...]:
    """Return the check of each delivery that no row of it is too late, or too early.

    Where such rows are set aside they are read, and `in_partition` finds them at the port.
    """
    cut = product.partitioning
    if cut is None or cut.quarantine is not None:
        return ()
    return tuple(_late_check(product, port, piece) for port in late_ports(product))


def bind_deliveries(
    connection: duckdb.DuckDBPyConnection,
    product: Product,
    key: str,
    found: dict[str, tuple[Path, ...]],
) -> None:
    """Make a partition's own delivery, with rows of whatever partition, a view."""
    own = own_deliveries(product, key, found)
    for port in late_ports(product):
        if port.source is not None:
            read = own[port.name]
            bind_source(connection, delivered(port.name), read, port.source, port.contract)


def own_deliveries(
    product: Product, key: str, found: Mapping[str, tuple[Path, ...]]
) -> dict[str, tuple[Path, ...]]:
    """Return, of what a partition reads of each source with late rows, its own files."""
    files_: dict[str, tuple[Path, ...]] = {}
    for port in late_ports(product):
        if port.source is not None:
            own = set(resolve(port.source, product.folder, key))
            files_[port.name] = tuple(file for file in found[port.name] if file in own)
    return files_


def late_content(
    store: Store, product: Product, port: InputPort, key: str
) -> list[tuple[str, str]]:
    """Return the later deliveries that have rows of a partition, each with its fingerprint."""
    found = []
    for piece in _after(product, port, key):
        there = _there(product, port, piece)
        if there and key in _reached(store, product, port, piece, there):
            found.append((piece.key, fingerprint(store, there)))
    return found


def _after(product: Product, port: InputPort, key: str) -> tuple[Partition, ...]:
    cut = product.partitioning
    if cut is None or port not in late_ports(product):
        return ()
    return nearby(cut, key, on=cut.lookback)[1:]


def _reach(product: Product, port: InputPort, cut: Partitioning, key: str) -> tuple[Partition, ...]:
    """Return the partitions of which a delivery may bring rows: those that are built at all."""
    around = nearby(cut, key, back=cut.lookback)
    return tuple(one for one in around if one.key == key or _there(product, port, one))


def _condition(column: str, pieces: tuple[Partition, ...]) -> str:
    return "(" + " OR ".join(window_of(column, (one,)).condition for one in pieces) + ")"


def _there(product: Product, port: InputPort, piece: Partition) -> tuple[Path, ...]:
    with suppress(SourceError):  # it has not come yet
        return resolve(port.source, product.folder, piece.key) if port.source else ()
    return ()


def _reached(
    store: Store, product: Product, port: InputPort, piece: Partition, found: tuple[Path, ...]
) -> frozenset[str]:
    """Return the earlier partitions of which a delivery has rows; looked at once per content."""
    cut = product.partitioning
    if cut is None or port.source is None:
        return frozenset()
    earlier = nearby(cut, piece.key, back=cut.lookback)[:-1]
    tests = {one.key: window_of(_column(port, cut), (one,)) for one in earlier}
    asked = repr([fingerprint(store, found), port.source, port.contract, sorted(tests.items())])
    note = store.cache / f"late-{hashlib.sha256(asked.encode()).hexdigest()}"
    with suppress(OSError, ValueError):
        return frozenset(json.loads(note.read_bytes()))
    try:
        keys = _rows_of(port, found, tests)
    except SourceError:  # its own run says what is wrong with it
        return frozenset()
    with suppress(OSError):  # a store that may only be read, or a full disk
        files.replace(note, json.dumps(sorted(keys)).encode(), durable=False)
    return keys


def _rows_of(port: InputPort, found: tuple[Path, ...], tests: dict[str, Window]) -> frozenset[str]:
    if port.source is None or not tests:
        return frozenset()
    asked = ", ".join(f"coalesce(bool_or({one.condition}), false)" for one in tests.values())
    with (
        TemporaryDirectory(prefix="mesh-") as folder,
        session_in(Path(folder), memory_limit="500MB", threads=1, now=datetime.now(UTC)) as con,
    ):
        bind_source(con, port.name, found, port.source, port.contract)
        narrow(con, port.name, port.source, replace(next(iter(tests.values())), condition="true"))
        [row] = con.execute(f"SELECT {asked} FROM {identifier(port.name)}").fetchall()
    return frozenset(key for key, has in zip(tests, row, strict=True) if has)


def _late_check(product: Product, port: InputPort, piece: Partition | None) -> Check:
    cut, condition, told = product.partitioning, "true", ""
    if cut is not None and piece is not None:
        pieces = nearby(cut, piece.key, back=cut.lookback)
        column, known = _column(port, cut), _reach(product, port, cut, piece.key)
        condition = _condition(column, known)
        told = (
            f"of {column} that the delivery of {piece.key} may not bring: `lookback: "
            f"{cut.lookback}` reaches from {pieces[0].key} to {piece.key}"
        )
        if absent := [one.key for one in pieces if one not in known]:
            told += f", and {', '.join(absent)} has no delivery of its own to be built from"
    measure = Query(
        f"SELECT count(*) FROM {{object}} WHERE NOT coalesce({condition}, false)", told=told
    )
    relation, first = delivered(port.name), product.outputs[0]
    return Check(
        name=f"input_{port.parameter}_late",
        port=first.address,
        relation=relation,
        measure=measure,
        threshold=ZERO,
        severity=Severity.ERROR,
        stage=Stage.INPUT,
        where=port.where,
        fingerprint=check_fingerprint(measure, ZERO, Severity.ERROR, Stage.INPUT, relation),
        dimension="timeliness",
        description="Every row of the delivery is of its partition, or of one within the lookback.",
    )


def _column(port: InputPort, cut: Partitioning) -> str:
    return (port.source.column if port.source else "") or cut.column
