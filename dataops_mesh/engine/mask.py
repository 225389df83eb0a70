"""Masks: the expression of one, and a port's files written again under them.

Each row is checked as it is written: a masked value that is its clear one, where the mask does
not make it of itself, ends the writing. Then the two forms are compared in all that masks keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.clear import Keep, is_whole, keep_clear
from dataops_mesh.engine.write import ONE_FILE, PARQUET, not_built, plain_files
from dataops_mesh.errors import Problem, RunError
from dataops_mesh.spec.mask import Mask, MaskKind
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files

if TYPE_CHECKING:
    import duckdb

_BLOCK = 64  # bytes of a block of SHA-256
_SAME = "a masked value is its clear one"
_OTHER_KEYS = "it has other keys than the clear one"
_TEXT = "VARCHAR"
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
                    "UINTEGER", "UBIGINT"})  # fmt: skip
_REAL = frozenset({"FLOAT", "DOUBLE"})


class UnfitError(Exception):
    """A mask is not for a type."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A column that is masked, and the key of its hash."""

    column: str
    mask: Mask
    key: bytes = b""


def mask_port(  # noqa: PLR0913 - what, where, how, and what is certain of it
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    address: Address,
    masks: Sequence[Masked],
    *,
    keys: Sequence[Sequence[str]] = (),
    known: frozenset[str] | None = None,
    keep: Keep | None = None,
) -> None:
    """Put the masked form of a port in the place of its clear one.

    Args:
        con: may read and write the folder.
        folder: the candidate's folder.
        address: the port, whose files are in `<port>/`.
        masks: at least one.
        keys: columns of which each value, or each combination, occurs once as often as before.
        known: the columns that stay, and nothing is certain of their types: of a candidate that
            is refused. What cannot be masked becomes null, and other columns are left out.
        keep: the clear values to keep elsewhere; then the session keeps the order of rows, and
            each file has its masked form in one of its name.

    Raises:
        RunError: the masked form is not what it should be.
        TransformError: the files cannot be read.
    """
    target = folder / address.port
    before = plain_files(target, address)
    clear = sql.scan("read_parquet", before)
    try:
        rows = con.execute(f"DESCRIBE FROM {clear}").fetchall()
        types = {str(row[0]): str(row[1]) for row in rows}
        if known is not None:
            types = {name: kind for name, kind in types.items() if name.lower() in known}
        by_name = {one.column.lower(): one for one in masks}
        made = {name: by_name[name.lower()] for name in types if name.lower() in by_name}
        with TemporaryDirectory(dir=folder) as aside:
            files.before("copy", Path(aside))
            for found, to, how in _pieces(before, Path(aside), keep):
                scan = sql.scan("read_parquet", found)
                query = _query(scan, types, made, refused=known is not None)
                con.execute(f"COPY ({query}) TO {sql.literal(to)} ({how})").fetchall()
            written = sorted(Path(aside).iterdir())
            forms = clear, sql.scan("read_parquet", written)
            lost = frozenset() if known is None else _unfit(types, made)
            if wrong := _differ(con, forms, types, made, keys, lost=lost):
                raise RunError(_problem(address, wrong))
            if keep is not None:
                keep_clear(con, keep, before)
                told = [name for name in types if name not in made or name in keep.places]
                if not is_whole(con, keep, told, before, written):
                    raise RunError(_problem(address, "it is not in the order of the clear one"))
            for path in before:
                files.remove(path)
            for path in written:
                files.before("move", target / path.name)
                path.replace(target / path.name)
    except UnfitError as error:
        raise RunError(_problem(address, str(error))) from None
    except sql.engine_error() as error:
        if _SAME in str(error):
            raise RunError(_problem(address, _SAME)) from None
        cut = [one.column for one in masks if one.mask.kind is MaskKind.BUCKET]
        if cut and isinstance(error, sql.out_of_range()):
            raise RunError(_no_bucket(address, cut)) from None
        raise not_built(address, error) from None


def expression(one: Masked, column: str, kind: str) -> tuple[str, str]:
    """Return what a mask makes of a value, and the condition that it makes it of itself, in SQL.

    Args:
        one: the mask.
        column: the value, in SQL.
        kind: its type; the result has the same.

    Raises:
        UnfitError: the mask is not for that type.
    """
    mask = one.mask
    match mask.kind:
        case MaskKind.CONSTANT:
            told = f"CAST({sql.literal(mask.constant)} AS {kind})"
            return f"CASE WHEN {column} IS NOT NULL THEN {told} END", f"{column} = {told}"
        case MaskKind.PARTIAL if kind == _TEXT:
            return _partial(column, mask)
        case MaskKind.BUCKET if kind in _WHOLE or kind in _REAL or kind.startswith("DECIMAL"):
            return f"CAST({_bucket(column, kind, mask)} AS {kind})", "true"
        case MaskKind.BUCKET if kind.startswith(("DATE", "TIMESTAMP")):
            unit = sql.literal(mask.bucket)
            return f"CAST(date_trunc({unit}, {column}) AS {kind})", "true"
        case MaskKind.HASH if kind == _TEXT and one.key:
            return _hash(column, one.key), "false"
    raise UnfitError(f"{mask.kind} is not for {kind}")


def _query(
    clear: str, types: Mapping[str, str], made: Mapping[str, Masked], *, refused: bool
) -> str:
    inner, outer = [], []
    for number, (name, kind) in enumerate(types.items()):
        column = sql.identifier(name)
        inner.append(column)
        if name not in made:
            outer.append(column)
            continue
        try:
            value, itself = expression(made[name], column, kind)
        except UnfitError:
            if not refused:
                raise
            value, itself = f"CAST(NULL AS {kind})", "true"
        masked = f"__mesh_masked_{number}"
        inner.append(f"{value} AS {masked}")
        guard = f"{masked} = {column} AND NOT coalesce({itself}, false)"
        outer.append(
            f"CASE WHEN {guard} THEN error({sql.literal(_SAME)}) ELSE {masked} END AS {column}"
        )
    return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {clear})"


def _pieces(
    before: Sequence[Path], aside: Path, keep: Keep | None
) -> Iterator[tuple[Sequence[Path], Path, str]]:
    """Yield what is masked at once, where it goes and how it is written."""
    if keep is None:
        yield before, aside, PARQUET
        return
    for path in before:
        yield [path], aside / path.name, ONE_FILE


def _unfit(types: Mapping[str, str], made: Mapping[str, Masked]) -> frozenset[str]:
    """Return the columns whose type their mask is not for: nulls are left of them."""
    found = set()
    for name, one in made.items():
        try:
            expression(one, sql.identifier(name), types[name])
        except UnfitError:
            found.add(name)
    return frozenset(found)


def _differ(  # noqa: PLR0913 - two forms and all that is known of them
    con: duckdb.DuckDBPyConnection,
    forms: tuple[str, str],
    types: Mapping[str, str],
    made: Mapping[str, Masked],
    keys: Sequence[Sequence[str]],
    *,
    lost: frozenset[str],
) -> str:
    """Return in what a masked form differs from the clear one but in what masks do, or nothing."""
    rest = [sql.identifier(name) for name in types if name not in made]
    nulls = [
        f"count({sql.identifier(name)})"
        for name, one in made.items()
        if not one.mask.makes_nulls and name not in lost
    ]
    same = ["count(*)", *([f"sum(hash({', '.join(rest)}))"] if rest else []), *nulls]
    described, counted = [], []
    for form in forms:
        told = con.execute(f"DESCRIBE FROM {form}").fetchall()
        described.append({str(row[0]): str(row[1]) for row in told if str(row[0]) in types})
        counted.append(con.execute(f"SELECT {', '.join(same)} FROM {form}").fetchall())
    if described[0] != described[1] or counted[0] != counted[1]:
        return "it has other rows or columns than the clear one"
    return "" if all(_same_key(con, forms, key) for key in keys) else _OTHER_KEYS


def _same_key(con: duckdb.DuckDBPyConnection, forms: tuple[str, str], key: Sequence[str]) -> bool:
    """Tell whether a key repeats in both forms as often.

    A mask makes the same of the same: where the masked form repeats none, the clear one does not.
    """
    clear, masked = forms
    repeated = _repeated(con, masked, key)
    return not repeated or repeated == _repeated(con, clear, key)


def _repeated(con: duckdb.DuckDBPyConnection, form: str, key: Sequence[str]) -> int:
    """Return in how many rows a key repeats that of another.

    Keys with hashes of their own are keys of their own: only where hashes repeat, which take an
    eighth of the room of what a mask makes, keys are compared.
    """
    names = ", ".join(sql.identifier(name) for name in key)
    alone = f"SELECT count(*) = count(DISTINCT hash({names})) FROM {form}"
    if con.execute(alone).fetchall()[0][0]:
        return 0
    groups = f"SELECT count(*) AS rows FROM {form} GROUP BY {names}"
    query = f"SELECT coalesce(sum(rows - 1), 0) FROM ({groups})"
    return int(con.execute(query).fetchall()[0][0])


def _problem(address: Address, what: str) -> Problem:
    then = "nothing was published; tell who maintains dataops_mesh"
    return Problem(f"the masked form of {address} is wrong: {what}", next=then)


def _no_bucket(address: Address, columns: Sequence[str]) -> Problem:
    """Return that the lower end of a bucket is beyond the least value of its type."""
    what = f"a value of {', '.join(columns)} in {address} is the least of its type or near it"
    then = "promise a `minimum` in the contract, or let the column have a larger physicalType"
    return Problem(f"{what}: its bucket has no lower end", next=then)


def _partial(column: str, mask: Mask) -> tuple[str, str]:
    kept, length = mask.first + mask.last, f"length({column})"
    hidden = f"repeat('*', {length} - {kept})"
    long = f"left({column}, {mask.first}) || {hidden} || right({column}, {mask.last})"
    value = f"CASE WHEN {length} > {kept} THEN {long} ELSE repeat('*', {length}) END"
    middle = f"substr({column}, {mask.first + 1}, {length} - {kept})"
    shown = f"CASE WHEN {length} > {kept} THEN {middle} ELSE {column} END"
    return value, f"replace({shown}, '*', '') = ''"


def _bucket(column: str, kind: str, mask: Mask) -> str:
    width = str(mask.bucket)
    if kind in _REAL:
        return f"floor({column} / {width}) * {width}"
    if kind in _WHOLE:
        column, width = f"CAST({column} AS HUGEINT)", f"CAST({width} AS HUGEINT)"
    return f"{column} - ((({column} % {width}) + {width}) % {width})"


def _hash(column: str, key: bytes) -> str:
    """Return HMAC-SHA-256 (RFC 2104), which DuckDB has not, made of SHA-256, which it has."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    within = f"sha256({_blob(inner)} || encode({column}))"
    return f"sha256({_blob(outer)} || unhex({within}))"


def _blob(data: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in data) + "'::BLOB"
