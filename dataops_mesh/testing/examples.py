"""Examples beside a product: rows that go in, rows that must come out.

domains/sales/revenue/examples/returned_orders/
given/shop.orders.csv        rows of an input port, in a file of its name
expected/revenue.csv         the rows that the port must have, in any order
expected/refused.txt         or: the checks that refuse, one `<port>.<check>` per line
given/partition.txt          of a partitioned product: the key of the partition
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Location, MeshError, Problem
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.names import EXAMPLES, EXPECTED
from dataops_mesh.testing import Tried, try_product
from dataops_mesh.testing.given import require_own

GIVEN = "given"
REFUSED, PARTITION = "refused.txt", "partition.txt"
_READERS = {".csv": "read_csv", ".json": "read_json", ".ndjson": "read_json"}
_READERS |= {".parquet": "read_parquet"}
_SHOWN = 3  # rows of each side


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an example ended.

    Args:
        example: its folder.
        wrong: what is not as expected, one sentence each; nothing if it passed.
    """

    example: Path
    wrong: tuple[str, ...] = ()


def examples_of(folder: Path) -> tuple[Path, ...]:
    """Return the folders of a product's examples, sorted."""
    found = folder / EXAMPLES
    return tuple(sorted(one for one in found.iterdir() if one.is_dir())) if found.is_dir() else ()


def run_example(example: Path) -> Outcome:
    """Build a product from what an example gives and compare what comes out.

    Raises:
        DeclarationError: the example's folder says nothing that could be compared.
    """
    given = {file.stem: file for file in _files(example / GIVEN) if file.name != PARTITION}
    expected = tuple(_files(example / EXPECTED))
    if not expected:
        what = f"{example.name} expects nothing"
        then = f"add {EXPECTED}/<port>.csv, or {EXPECTED}/{REFUSED}"
        raise DeclarationError(Problem(what, Location(str(example), 1), next=then))
    piece = example / GIVEN / PARTITION
    product = example.parent.parent
    try:
        require_own((piece, *expected), product, load_settings(product))
        partition = piece.read_text("utf-8").strip() if piece.is_file() else ""
        tried = try_product(product, given, partition=partition)
    except MeshError as error:
        return Outcome(example, (str(error),))
    wrong: list[str] = []
    for file in expected:
        if file.name == REFUSED:
            wrong += _refusals(file, tried)
        else:
            wrong += _differences(file, tried)
    return Outcome(example, tuple(wrong))


def _files(folder: Path) -> Iterable[Path]:
    found = sorted(folder.iterdir()) if folder.is_dir() else ()
    return (one for one in found if one.is_file() and not one.name.startswith("."))


def _refusals(file: Path, tried: Tried) -> list[str]:
    wanted = {line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()}
    wrong = [f"{name} was to refuse, and passed" for name in sorted(wanted - {*tried.failed})]
    if wrong and tried.failed:
        wrong.append(f"what refuses is {', '.join(tried.failed)}")
    if tried.published:
        wrong.append("it was to be refused, and was published")
    return wrong


def _differences(file: Path, tried: Tried) -> list[str]:
    """Return how the rows of a port differ from those of a file: both are the tester's own."""
    port = file.stem
    if port not in tried.ports:
        failed = ", ".join(tried.failed) or "the product has no such port"
        return [f"{port} has no rows: {failed}"]
    made = tried.ports[port]
    columns, wanted = _expected(file, tried.types[port])
    if unknown := [name for name in columns if name not in tried.types[port]]:
        return [f"{port} has no column {', '.join(unknown)}; it has {', '.join(tried.types[port])}"]
    found = Counter(tuple(repr(row[name]) for name in columns) for row in made)
    asked = Counter(tuple(repr(value) for value in row) for row in wanted)
    missing, extra = asked - found, found - asked
    if not missing and not extra:
        return []
    what = f"{missing.total()} of the rows in {file.name} did not come out, "
    told = [f"{port}: {what}{extra.total()} came out that are not in it"]
    for sign, rows in (("expected", missing), ("came out", extra)):
        for row in list(rows.elements())[:_SHOWN]:
            cells = ", ".join(f"{n}={v}" for n, v in zip(columns, row, strict=True))
            told.append(f"{sign}: {cells}")
    return told


def _expected(file: Path, types: dict[str, str]) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
    """Return the columns of a file and its rows, in the types that came out."""
    import duckdb

    from dataops_mesh.engine import sql

    reader = _READERS.get(file.suffix)
    if reader is None:
        what = f"{file.name} is no file of rows"
        raise DeclarationError(Problem(what, Location(str(file), 1), choices=tuple(_READERS)))
    options = {"read_csv": ", all_varchar = true, header = true", "read_parquet": ""}
    more = options.get(reader, ", sample_size = -1")
    scan = f"{reader}({sql.literal(str(file))}{more})"
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        columns = [str(row[0]) for row in con.execute(f"DESCRIBE FROM {scan}").fetchall()]
        cast = [
            f"CAST({sql.identifier(name)} AS {types[name]})"
            if name in types
            else sql.identifier(name)
            for name in columns
        ]
        try:
            rows = con.execute(f"SELECT {', '.join(cast)} FROM {scan}").fetchall()
        except duckdb.Error as error:
            what = f"{file.name} cannot be read in the port's types: {sql.reason(error)}"
            raise DeclarationError(Problem(what, Location(str(file), 1))) from None
    return columns, rows
