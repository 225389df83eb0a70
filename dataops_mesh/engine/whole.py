"""The rows of a port as they were before they were masked: its files beside those of clear values.

A row is the same in all of them by its number in the file of that name; nothing else ties them.
Each column has files of its own, so that who may read one cannot open another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataops_mesh.engine import sql
from dataops_mesh.engine.data import data_scan
from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.line.subset import is_subset
from dataops_mesh.store.log import Entry
from dataops_mesh.store.manifest import Manifest, folder, read_manifest
from dataops_mesh.store.restricted import clear_files
from dataops_mesh.store.sound import require_sound
from dataops_mesh.store.store import Store

_READER = "read_parquet"
_ROWS = {"file_row_number": True}
Opened = Mapping[Address, Sequence[str]]  # the masked columns of a port that somebody may read


@dataclass(frozen=True, slots=True)
class Pair:
    """A file of a port, and those with the clear values of its rows.

    Args:
        columns: of the port, in order.
        clear: for each column that is not taken from the port, the file with its values.
    """

    masked: Path
    columns: Sequence[str]
    clear: Mapping[str, Path] = field(default_factory=dict)


def whole(pairs: Iterable[Pair], *, listed: bool = True) -> str:
    """Return the SQL relation over the rows, each opened column as it was.

    Args:
        pairs: at least one.
        listed: whoever reads it may list the folders that we may list.
    """
    return f"({' UNION ALL BY NAME '.join(_rows(pair, listed=listed) for pair in pairs)})"


def whole_scan(
    store: Store, address: Address, entry: Entry, columns: Sequence[str], *, listed: bool = True
) -> tuple[str, tuple[Path, ...]]:
    """Return the relation over the files of an address with some columns unmasked, and all files.

    Args:
        store: the store.
        address: the port.
        entry: what it resolves to.
        columns: the masked columns that the reader may read as they are.
        listed: whoever reads it may list the folders that we may list.

    Raises:
        StoreError: of some part no clear values are kept, or they may not be read here.
        CorruptError: a file is not what was published.
    """
    if is_subset(store):
        what = f"{address} cannot be read by a role here: a subset has no clear values"
        raise StoreError(Problem(what, next="open a sandbox of all rows"))
    found = require_sound(store, address, entry)
    pairs = [
        pair
        for ref in dict.fromkeys(entry.refs)
        for pair in _pairs(store, read_manifest(store, ref), address, columns)
    ]
    clear = tuple(path for pair in pairs for path in pair.clear.values())
    if not clear:
        return data_scan(entry, found, listed=listed), found
    return whole(pairs, listed=listed), (*found, *clear)


def _pairs(
    store: Store, manifest: Manifest, address: Address, columns: Sequence[str]
) -> list[Pair]:
    port = manifest.port(address)
    files, names = (port.files, [name for name, _ in port.columns]) if port else ((), [])
    masked = {one.column.lower() for one in manifest.masks if one.port == address}
    wanted = masked & {name.lower() for name in columns}
    opened = [name for name in names if name.lower() in wanted]
    root = folder(store, manifest.candidate)
    if not opened:
        return [Pair(root / file.path, names) for file in files]
    kept = manifest.kept(address)
    if kept is not None and (lost := sorted(set(opened) - {*kept.columns})):
        piece = f"partition {manifest.partition} of " if manifest.partition else ""
        what = f"{piece}{address} was published without the clear values of {', '.join(lost)}"
        raise StoreError(Problem(what, next=f"mesh run {manifest.product} --rebuild"))
    clear = clear_files(store, manifest, address, opened)
    return [
        Pair(root / file.path, names, {name: clear[name, Path(file.path).name] for name in opened})
        for file in files
    ]


def _rows(pair: Pair, *, listed: bool) -> str:
    """Return the rows of one file; each clear column is another relation of as many rows."""
    aliases = {name: f"c{number}" for number, name in enumerate(pair.clear)}
    told = ", ".join(f"{aliases.get(name, 'm')}.{sql.identifier(name)}" for name in pair.columns)
    options = _ROWS if aliases else None
    query = f"SELECT {told} FROM {sql.scan(_READER, [pair.masked], options, listed=listed)} AS m"
    for name, alias in aliases.items():
        values = sql.scan(_READER, [pair.clear[name]], _ROWS, listed=listed)
        query += f" JOIN {values} AS {alias} ON {alias}.file_row_number = m.file_row_number"
    return query
