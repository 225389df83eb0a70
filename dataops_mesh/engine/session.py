"""In-memory DuckDB connections that see one release and nothing else."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.data import data_finder, data_scan
from dataops_mesh.engine.delivery import (
    UnclearDelivery,
    lossless,
    require_alike,
    require_names_once,
    require_something,
)
from dataops_mesh.engine.opened import memory
from dataops_mesh.engine.packed import require_complete
from dataops_mesh.engine.parquet import parquet, promised_parquet
from dataops_mesh.engine.promised import (
    TYPING,
    promised_by_options,
    promised_columns,
    promised_csv,
    require_types,
)
from dataops_mesh.engine.promised_records import promised_json
from dataops_mesh.engine.records import records
from dataops_mesh.engine.whole import Opened, whole_scan
from dataops_mesh.engine.wrong import wrong_line
from dataops_mesh.errors import NotPublishedError, Problem, SourceError, StoreError, did_you_mean
from dataops_mesh.spec.model import Address, Contract, Source, SourceFormat
from dataops_mesh.spec.names import delivered, new_columns
from dataops_mesh.spec.nearby import Window
from dataops_mesh.store.log import Release
from dataops_mesh.store.removing.removed import removed_since
from dataops_mesh.store.removing.withdrawal import withdrawal_of, withdrawn_problem, withdrawn_words
from dataops_mesh.store.scratch import scratch_folder
from dataops_mesh.store.store import Store

if TYPE_CHECKING:
    import duckdb

_READERS = {
    SourceFormat.CSV: "read_csv",
    SourceFormat.PARQUET: "read_parquet",
    SourceFormat.JSON: "read_json",
}

_PROMISED = {
    SourceFormat.CSV: promised_csv,
    SourceFormat.PARQUET: promised_parquet,
    SourceFormat.JSON: promised_json,
}


@contextmanager
def session(
    store: Store,
    *,
    memory_limit: str,
    threads: int,
    now: datetime,
    time_zone: str = "UTC",
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection with bounded memory and a folder of its own to spill into.

    Args:
        store: the store; its scratch folder holds what is spilled.
        memory_limit: in DuckDB's words, for example `1GB`.
        threads: how many it may use.
        now: what the macro `mesh_now()` returns.
        time_zone: in which timestamps are shown and cast.
    """
    with (
        scratch_folder(store) as scratch,
        session_in(
            scratch, memory_limit=memory_limit, threads=threads, now=now, time_zone=time_zone
        ) as con,
    ):
        yield con


@contextmanager
def session_in(
    folder: Path,
    *,
    memory_limit: str,
    threads: int,
    now: datetime,
    time_zone: str = "UTC",
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the same connection without a store: it spills into the folder."""
    con = memory()
    try:
        settings = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(folder),
            "preserve_insertion_order": False,
            "enable_progress_bar": False,
            "TimeZone": time_zone,
            # A mistyped relation must not resolve to a variable of the caller.
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        con.execute("; ".join(f"SET {key} = {sql.literal(to)}" for key, to in settings.items()))
        moment = sql.literal(now.isoformat())
        con.execute(f"CREATE MACRO mesh_now() AS {moment}::TIMESTAMPTZ")
        yield con
    finally:
        con.close()


def bind_release(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    release: Release,
    addresses: Iterable[Address],
    opened: Opened | None = None,
) -> tuple[Path, ...]:
    """Create a view for each address, over an explicit list of files; return these files."""
    statements, bound = release_views(store, release, addresses, opened=opened)
    for statement in statements:
        con.execute(statement)
    return bound


def release_views(
    store: Store,
    release: Release,
    addresses: Iterable[Address],
    *,
    listed: bool = True,
    opened: Opened | None = None,
) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return the SQL that creates a view for each address, and the files behind them.

    Args:
        store: the store.
        release: what the addresses resolve to.
        addresses: those of the views.
        listed: whoever reads the views may list the folders that we may list.
        opened: the masked columns that whoever reads the views may read as they are.

    Raises:
        NotPublishedError: an address that the release does not have.
    """
    statements, bound = list[str](), list[Path]()
    find = data_finder(store)
    for address in addresses:
        entry = release.ports.get(address)
        if entry is None:
            if (gone := withdrawal_of(release, address)) is not None:
                raise NotPublishedError(withdrawn_problem(address, gone))
            known = [str(item) for item in release.ports]
            raise NotPublishedError(
                Problem(
                    f"{address} has no publication{did_you_mean(str(address), known)}",
                    next=f"run the product that builds {address}",
                )
            )
        if (hold := removed_since(release, address)) is not None:
            what = f"partition {hold.partition} of {address} {withdrawn_words(hold)}"
            raise StoreError(Problem(what, next="read a release after that"))
        if columns := (opened or {}).get(address):
            scanned, found = whole_scan(store, address, entry, columns, listed=listed)
        else:
            found = find(address, entry)
            scanned = data_scan(entry, found, listed=listed)
        schema, view = sql.identifier(address.domain), sql.identifier(address.port)
        statements.append(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        statements.append(f"CREATE OR REPLACE VIEW {schema}.{view} AS FROM {scanned}")
        bound.extend(found)
    return tuple(statements), tuple(bound)


def bind_source(
    con: duckdb.DuckDBPyConnection,
    name: str,
    found: Iterable[Path],
    source: Source,
    contract: Contract | None = None,
) -> None:
    """Create a view over the files of a source, under the input port's name.

    Args:
        con: the session.
        name: the input port.
        found: the files.
        source: what the input port says of them.
        contract: what they promise; beside the view, another one has the columns it does not know.
    """
    import duckdb

    reader = _READERS.get(source.format)
    if reader is None:
        raise SourceError(
            Problem(
                f"{name} is an opaque file, SQL cannot read it",
                source.where,
                choices=tuple(_READERS),
                next="declare its format, or read it in a Python transform",
            )
        )
    options = {key: _option(value) for key, value in source.options}
    files = tuple(found)
    try:
        view = sql.identifier(name)
        if source.format is not SourceFormat.PARQUET:
            require_complete(files, options)
            if contract is None:
                require_something(files, options)
        if source.format is SourceFormat.CSV:
            require_names_once(con, files, options)
        if contract is not None:
            read = _PROMISED[source.format]
            relation, new = read(con, files, options, promised_columns(contract))
            told = f"SELECT unnest({sql.literal(new)}::VARCHAR[]) AS name"
            con.execute(f"CREATE OR REPLACE VIEW {new_columns(name)} AS {told}")
        elif source.format is SourceFormat.JSON:
            said = promised_by_options(options)
            rest = {key: value for key, value in options.items() if key not in TYPING}
            relation = (
                promised_json(con, files, rest, said)[0] if said else records(con, files, rest)
            )
        elif source.format is SourceFormat.PARQUET:
            relation = parquet(con, files, options)
        else:
            require_alike(con, files, options)
            require_types(con, files, options)
            options = lossless(con, files, options)
            relation = sql.scan(reader, files, options)
        con.execute(f"CREATE OR REPLACE VIEW {view} AS FROM {relation}")
    except UnclearDelivery as error:
        raise SourceError(Problem(f"{name}: {error}", source.where, next=error.then)) from None
    except duckdb.Error as error:
        # Not chained: a reader's message can repeat a value of the data.
        wrong = wrong_line(files, source.format, options, str(error))
        if wrong:
            then = "correct the delivery, or the options of the input port"
            raise SourceError(Problem(f"{name}: {wrong}", source.where, next=then)) from None
        raise SourceError(
            Problem(
                f"{name} cannot be read as {source.format}: {sql.reason(error)}",
                source.where,
                next="check the format and the options of the input port",
            )
        ) from None


def narrow(con: duckdb.DuckDBPyConnection, name: str, source: Source, window: Window) -> None:
    """Leave only the rows of a window in the view of a source.

    Those beyond it come from the view of the source's own delivery, which is there already.

    Raises:
        SourceError: it has not the column that says which rows these are.
    """
    view, whole = sql.identifier(name), sql.identifier(f"{name}__whole")
    names = [str(row[0]) for row in con.execute(f"DESCRIBE FROM {view}").fetchall()]
    if window.column not in names:
        what = f'{name} has no column "{window.column}", which says of which partition a row is'
        then = "say in the setting `source` which `column` does"
        raise SourceError(Problem(what, source.where, "column", tuple(names), next=then))
    con.execute(f"ALTER VIEW {view} RENAME TO {whole}")
    rows = f"FROM {whole} WHERE {window.condition}"
    if window.beyond:
        own = sql.identifier(delivered(name))
        rows += f" UNION ALL BY NAME FROM {own} WHERE {window.beyond}"
    con.execute(f"CREATE VIEW {view} AS {rows}")


def seal(con: duckdb.DuckDBPyConnection, allowed: Iterable[Path]) -> None:
    """Let the connection open only these files and folders from now on, for good.

    It cannot attach, install, load or change a setting. DuckDB does not tell reading from
    writing here: SQL that people write must pass `sql.require_select` as well.
    """
    found = tuple(allowed)
    folders = [str(path) for path in found if path.is_dir()]
    # A folder is allowed as a path too: COPY looks at the folder before what it holds.
    # The spelling of a literal name as a pattern is one too, as that is what DuckDB compares.
    paths = {spelled for path in found for spelled in (str(path), glob.escape(str(path)))}
    con.execute(f"SET allowed_paths = {sql.literal(sorted(paths))}")
    within = {spelled for path in folders for spelled in (path, glob.escape(path))}
    con.execute(f"SET allowed_directories = {sql.literal(sorted(within))}")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _option(value: Any) -> Any:
    """Return the pairs of a struct as one; everything else is as it should be."""
    pairs = isinstance(value, tuple) and all(isinstance(item, tuple) for item in value)
    return dict(value) if value and pairs else value
