"""Inputs: what a run reads, pinned and on record before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.session import bind_release, bind_source, narrow
from dataops_mesh.engine.source import Marks, fingerprint, marks, resolve
from dataops_mesh.engine.whole import Opened
from dataops_mesh.errors import NotPublishedError, Problem, SourceError
from dataops_mesh.fetch.fetch import Delivered
from dataops_mesh.run.guards.reach import require_reachable
from dataops_mesh.run.inputs.fetching import Fetching, is_remote, seen
from dataops_mesh.run.inputs.late import bind_deliveries, read_files, windows
from dataops_mesh.run.inputs.own import own_views, pin_own
from dataops_mesh.run.inputs.resource import state_of
from dataops_mesh.spec.model import Address, InputPort, Product, Source
from dataops_mesh.store.described import InputRead, PortData
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.release import Release
from dataops_mesh.store.removing.withdrawal import withdrawal_of, withdrawn_words
from dataops_mesh.store.store import Store
from dataops_mesh.transform.redact import safe_message

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run reads.

    Args:
        release: the release that the run pinned.
        reads: one record per input port.
        source_files: the files of each source input port, by its name.
        marks: how these files looked before they were hashed.
        full: what the product published last is left out.
        opened: the masked columns that it reads as they are, by a role.
        states: what resources go on from, once this is published, by input port.
    """

    release: Release
    reads: tuple[InputRead, ...]
    source_files: dict[str, tuple[Path, ...]]
    marks: Marks = field(default_factory=Marks)
    full: bool = False
    opened: Opened = field(default_factory=dict)
    states: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """Return the name and fingerprint of every source that was read."""
        return tuple((read.name, read.fingerprint) for read in self.reads if read.address is None)


def pin_inputs(  # noqa: PLR0913 - all that decides what is read
    store: Store,
    product: Product,
    release: Release,
    partition: str = "",
    *,
    full: bool = False,
    secrets: Iterable[Path] = (),
    fetching: Fetching | None = None,
) -> Inputs:
    """Decide which publication or file each input port reads.

    Args:
        store: the store.
        product: who reads.
        release: what is published.
        partition: the partition that is built; empty for a whole product.
        full: leave out what the product itself published last.
        secrets: files and folders that no source may be.
        fetching: how remote sources are fetched; None asks nobody, and knows what was seen last.

    Raises:
        NotPublishedError: every input port that nobody has published yet.
        SourceError: a source is missing or unreadable.
    """
    problems = [
        _not_published(product, port, release)
        for port in product.inputs
        if port.address is not None and port.address not in release.ports
    ]
    if problems:
        raise NotPublishedError(problems)
    begun = None if full else release
    delivered = {
        port.name: _delivered(store, product, port, partition, begun, fetching)
        for port in product.inputs
        if port.source
    }
    source_files = {name: one.paths for name, one in delivered.items()}
    for port in product.inputs:
        require_reachable(store, product, port, source_files.get(port.name, ()), secrets)
    before = _marks(source_files)
    reads = tuple(
        published_read(release, port, port.address)
        if port.address is not None
        else InputRead(port.name, fingerprint=_seen(store, product, port, partition))
        if is_remote(port) and fetching is None
        else InputRead(port.name, fingerprint=_content(store, port, source_files[port.name]))
        for port in product.inputs
    )
    own = pin_own(product, release, partition, full=full)
    states = {name: one.state for name, one in delivered.items() if one.state}
    return Inputs(release, (*reads, *own), source_files, before, full, states=states)


def require_unchanged(store: Store, product: Product, inputs: Inputs, partition: str = "") -> None:
    """Make sure that what was read is what the record says was read.

    Raises:
        SourceError: a source was delivered anew while it was read.
    """
    read = dict(inputs.sources)
    touched = not _marks(inputs.source_files).are_those_of(inputs.marks)
    problems = [
        Problem(
            f'source "{port.name}" changed while it was read',
            port.where,
            next="run the product again when the delivery is complete",
        )
        for port in product.inputs
        if port.source is not None
        and (
            touched
            or not _there(product, port, partition) <= set(inputs.source_files[port.name])
            or read[port.name] != _content(store, port, inputs.source_files[port.name])
        )
    ]
    if problems:
        raise SourceError(problems)


def bind_inputs(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    product: Product,
    inputs: Inputs,
    partition: str = "",
) -> None:
    """Make every input port a view of the connection, under the name transforms use."""
    bind_release(connection, store, inputs.release, addresses(product), inputs.opened)
    for statement in own_views(store, product, inputs.release, inputs.reads, partition)[0]:
        connection.execute(statement)
    within = windows(product, partition)
    bind_deliveries(connection, product, partition, inputs.source_files)
    for port in product.inputs:
        if port.source is not None and _readable(port.source):
            found = inputs.source_files[port.name]
            bind_source(connection, port.name, found, port.source, port.contract)
            if port.name in within:
                narrow(connection, port.name, port.source, within[port.name])


def bind_candidate(
    connection: duckdb.DuckDBPyConnection, store: Store, ref: str, ports: Iterable[PortData]
) -> None:
    """Make every written port a view at its address, over the candidate's own files."""
    root = folder(store, ref)
    for port in ports:
        schema, view = sql.identifier(port.address.domain), sql.identifier(port.address.port)
        relation = sql.scan("read_parquet", [root / file.path for file in port.files])
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(f"CREATE VIEW {schema}.{view} AS FROM {relation}")


def write_inputs_file(file: Path, views: Iterable[str], now: datetime) -> None:
    """Write a DuckDB file with a view per published input port, for a tool that attaches files."""
    import duckdb

    with duckdb.connect(str(file)) as connection:
        connection.execute("SET enable_progress_bar = false")  # DuckDB draws it on stdout
        moment = sql.literal(now.isoformat())
        connection.execute(f"CREATE MACRO mesh_now() AS {moment}::TIMESTAMPTZ")
        for view in views:
            connection.execute(view)


def addresses(product: Product) -> tuple[Address, ...]:
    """Return the addresses that the product reads."""
    return tuple(port.address for port in product.inputs if port.address is not None)


def _delivered(  # noqa: PLR0913, PLR0917 - what is read, and where it goes on from
    store: Store, product: Product, port: InputPort, partition: str,
    begun: Release | None, fetching: Fetching | None,
) -> Delivered:  # fmt: skip
    if not is_remote(port):
        return Delivered(read_files(product, port, partition))
    if fetching is None:
        return Delivered()
    state = b""
    if begun is not None and port.resource:
        state = state_of(store, product, begun, partition, port)
    return fetching.fetch(product, port, partition, state)


def _there(product: Product, port: InputPort, partition: str) -> set[Path]:
    """Return the files that there are now; of what is fetched, only a fetch could say."""
    if port.source is None or is_remote(port):
        return set()
    return set(resolve(port.source, product.folder, partition))


def _seen(store: Store, product: Product, port: InputPort, partition: str) -> str:
    """Return what a remote source is known to hold.

    Raises:
        SourceError: nobody has seen anything there.
    """
    if found := seen(store, product, port, partition):
        return found
    what = f'source "{port.name}" was not seen yet, or is gone'
    raise SourceError(Problem(what, port.where, next=f"mesh run {product.qualified_name}"))


def published_read(release: Release, port: InputPort, address: Address) -> InputRead:
    """Return which publication of a port a release shows, and in which form it is read."""
    entry = release.ports[address]
    content = (entry.publication, entry.candidate, entry.form(port.role))
    return InputRead(port.name, address, *content, role=port.role)


def _marks(source_files: Mapping[str, tuple[Path, ...]]) -> Marks:
    try:
        return marks(path for found in source_files.values() for path in found)
    except OSError:  # gone or out of reach: reading it says so, with its port
        return Marks()


def _readable(source: Source) -> bool:
    return source.format.value != "file"


def _content(store: Store, port: InputPort, found: tuple[Path, ...]) -> str:
    try:
        return fingerprint(store, found)
    except OSError as error:
        what = f'source "{port.name}" cannot be read: {safe_message(error)}'
        raise SourceError(Problem(what, port.where, next="check the file's permissions")) from None


def _not_published(product: Product, port: InputPort, release: Release) -> Problem:
    gone = withdrawal_of(release, port.address) if port.address else None
    if gone is not None:
        what = f'{product.qualified_name} reads "{port.name}", which {withdrawn_words(gone)}'
        return Problem(what, port.where, next=f"read something else, or ask {gone.product}")
    domain = port.address.domain if port.address else ""
    return Problem(
        f'{product.qualified_name} reads "{port.name}", which has never been published',
        port.where,
        next=f"mesh run {domain}",
    )
