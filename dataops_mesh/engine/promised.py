"""How a source with a contract is read: that says columns and types, and nothing is guessed.

Every text is looked at once before anything is built: it is a value of the promised type, to its
last digit, or the delivery is refused with file, line and column, and never with the value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.delivery import READER, UnclearDelivery, dialect
from dataops_mesh.engine.spelling import spells, value
from dataops_mesh.engine.wrong import place_of_record
from dataops_mesh.errors import did_you_mean
from dataops_mesh.spec.read.inputs.ports import PACKED
from dataops_mesh.spec.terms import Contract
from dataops_mesh.spec.types.shape import ANY, Kind, Shape, read_shape
from dataops_mesh.spec.types.stored import wanted_types

if TYPE_CHECKING:
    import duckdb

_FORMS = {
    "DATE": "a date as YYYY-MM-DD",
    "TIME": "a time as HH:MM:SS",
    "TIMESTAMP": "a timestamp as YYYY-MM-DDTHH:MM:SS",
    "TIMESTAMP WITH TIME ZONE": "a timestamp as YYYY-MM-DDTHH:MM:SSZ",
    "BOOLEAN": "true or false",
}
# Options that say of JSON what its columns are.
TYPING = {"columns", "auto_detect", "dateformat", "timestampformat"}
# Days of a year and weeks, which DuckDB counts on into the next year, and names of days.
_COUNTED = re.compile(r"%-?[jUWwVGuaA]")
_ZONE = re.compile(r"%[zZ]")
_MOST = 3  # columns of which a refusal speaks


@dataclass(frozen=True, slots=True)
class Promised:
    """A column that the contract of a source promises.

    Args:
        name: as transforms know it.
        at: its name at the source.
        shape: its type.
        form: how dates and times are written; empty for ISO 8601.
    """

    name: str
    at: str
    shape: Shape
    form: str = ""

    @property
    def kind(self) -> str:
        """Return the type of a plain value; nothing for objects, arrays and maps."""
        return self.shape.accepted[0] if self.shape.kind is Kind.SCALAR else ""

    @property
    def expected(self) -> str:
        """Return what a value must be, in words."""
        bare = self.kind or str(self.shape)
        return f"a {bare} as {self.form}" if self.form else _FORMS.get(bare, f"a {bare}")

    def value(self, text: str) -> str:
        """Return the expression that reads a text as the promised value."""
        if self.kind == "VARCHAR":
            return text
        if self.form:
            return f"TRY_CAST(TRY_STRPTIME({text}, {sql.literal(self.form)}) AS {self.kind})"
        return value(text, self.kind)

    def spells(self, text: str) -> str:
        """Return the test that a text is a promised value."""
        if not self.form:
            return spells(text, self.kind, printed=True)
        parsed = f"TRY_STRPTIME({text}, {sql.literal(self.form)})"
        whole = f" AND {parsed} = {self.value(text)}" if self.kind == "DATE" else ""
        if _COUNTED.search(self.form.replace("%%", "")) and not _ZONE.search(self.form):
            back = f"strftime({parsed}, {sql.literal(self.form)})"
            whole += f" AND {_bare(back)} = {_bare(text)}"
        return f"({self.value(text)} IS NOT NULL{whole})"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files of a source, and how one or all of them are read as text.

    Args:
        found: the files.
        scan: returns the relation over some of them.
        dialect: of CSV, the options that say where a line and a record begin.
    """

    found: Sequence[Path]
    scan: Callable[[Sequence[Path]], str]
    dialect: Mapping[str, Any]


def _bare(text: str) -> str:
    """Return the expression of a date without the zeros that people write, or leave out."""
    bare = f"trim(lower({text}))"
    for zeros, rest in ((r"\b0+([0-9])", r"\1"), (r"(\.[0-9]*[1-9])0+\b", r"\1"), (r"\.0+\b", "")):
        bare = f"regexp_replace({bare}, {sql.literal(zeros)}, {sql.literal(rest)}, 'g')"
    return bare


def promised_columns(contract: Contract) -> tuple[Promised, ...]:
    """Return the columns that a contract promises of a source."""
    types = wanted_types(contract)
    return tuple(
        Promised(c.name, c.physical_name or c.name, types[c.name], c.date_format)
        for c in contract.columns
    )


def promised_by_options(options: Mapping[str, Any]) -> tuple[Promised, ...]:
    """Return the columns that an input port without a contract says of its JSON."""
    said = options.get("columns") or {}
    day, moment = str(options.get("dateformat", "")), str(options.get("timestampformat", ""))
    forms = {"DATE": day, "TIMESTAMP": moment, "TIMESTAMP WITH TIME ZONE": moment}
    found = []
    for name, kind in said.items():
        shape = read_shape(str(kind)) or ANY
        plain = shape.accepted[0] if shape.kind is Kind.SCALAR else ""
        found.append(Promised(name, name, shape, forms.get(plain, "")))
    return tuple(found)


def promised_csv(
    con: duckdb.DuckDBPyConnection,
    found: Sequence[Path],
    options: Mapping[str, Any],
    columns: Sequence[Promised],
) -> tuple[str, list[str]]:
    """Return the relation over CSV files as promised, and the columns that are new.

    Raises:
        UnclearDelivery: a column is gone, or a text is no value of its type.
    """
    if (empty := next((path.name for path in found if not path.stat().st_size), None)) is not None:
        then = "have it delivered with its header, also where there are no rows"
        raise UnclearDelivery(f"{empty} is empty, without even a header", then)
    options = {**dialect(found, options), "all_varchar": True}
    if options["header"] is False:  # then the order is the promise
        options["names"] = [column.at for column in columns]
    names = [_names(con, sql.scan(READER, [path], options)) for path in found]
    for path, given in zip(found, names, strict=True):
        require_columns(path.name, given, columns)
    if len(set(map(tuple, names))) > 1:
        options["union_by_name"] = True
    texts = {column.name: _text(column, options) for column in columns}

    def scan(paths: Sequence[Path]) -> str:
        own = options if len(paths) > 1 else {**options, "union_by_name": False}
        return sql.scan(READER, paths, own)

    require_spelled(con, Delivery(found, scan, options), columns, texts)
    return select(columns, texts, scan(found)), new_of(names, columns)


def require_types(
    con: duckdb.DuckDBPyConnection, found: Sequence[Path], options: Mapping[str, Any]
) -> None:
    """Make sure that every text of a CSV file is a value of the type that `types` says.

    Raises:
        UnclearDelivery: a text is not.
    """
    said = options.get("types") or options.get("columns")
    if not isinstance(said, Mapping):
        return
    key = "types" if options.get("types") else "columns"
    texts = {**dialect(found, options), key: dict.fromkeys(said, "VARCHAR")}
    columns = promised_by_options({**options, "columns": said})

    def scan(paths: Sequence[Path]) -> str:
        return sql.scan(READER, paths, texts)

    shown = {column.name: _text(column, texts) for column in columns}
    require_spelled(con, Delivery(found, scan, texts), columns, shown)


def require_columns(file: str, given: Sequence[str], columns: Sequence[Promised]) -> None:
    """Make sure that a file has every promised column.

    Raises:
        UnclearDelivery: one is gone.
    """
    gone = [column for column in columns if column.at not in given]
    if gone:
        told = "; ".join(
            f'{file} has no column "{c.at}"{did_you_mean(c.at, given)}' for c in gone[:_MOST]
        )
        then = "ask whoever delivers it; its name at the source is the column's `physicalName`"
        raise UnclearDelivery(told, then)


def new_of(names: Sequence[Sequence[str]], columns: Sequence[Promised]) -> list[str]:
    """Return the columns of any file that nobody promised."""
    known = {column.at for column in columns}
    return list(dict.fromkeys(name for given in names for name in given if name not in known))


def select(columns: Sequence[Promised], texts: Mapping[str, str], relation: str) -> str:
    """Return the relation with the texts as values."""
    shown = (
        f"{c.value(texts[c.name]) if c.kind else texts[c.name]} AS {sql.identifier(c.name)}"
        for c in columns
    )
    return f"(SELECT {', '.join(shown)} FROM {relation})"


def require_spelled(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    columns: Sequence[Promised],
    texts: Mapping[str, str],
) -> None:
    """Make sure that every text is a value of its type.

    Raises:
        UnclearDelivery: with the file, line and column of the first that is not.
    """
    plain = [column for column in columns if column.kind]
    pairs = [(c, texts[c.name]) for c in plain]
    wrong = {
        c.name: f"{text} IS NOT NULL AND NOT coalesce({c.spells(text)}, false)" for c, text in pairs
    }
    tests = ", ".join(f"bool_or({test})" for test in wrong.values()) or "count(*) < 0"
    [row] = con.execute(f"SELECT {tests} FROM {delivery.scan(delivery.found)}").fetchall()
    broken = [column for column, bad in zip(plain, row, strict=False) if bad]
    if not broken:
        return
    told = []
    for column in broken[:_MOST]:
        place = _place(con, delivery, wrong[column.name])
        told.append(f'{place}: column "{column.at}": expected {column.expected}')
    then = "correct the delivery; another type or `dateformat` stands in the contract of the source"
    raise UnclearDelivery("; ".join(told), then)


def _names(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [str(row[0]) for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()]


def _text(column: Promised, options: Mapping[str, Any]) -> str:
    name = sql.identifier(column.at)
    fraction = column.kind.startswith(("DECIMAL", "DOUBLE", "FLOAT"))
    is_number = fraction or column.kind.endswith(("INT", "INTEGER"))
    if options.get("decimal_separator") != "," or not is_number:
        return name
    # A point marks thousands then, or is a slip: nobody can be sure what `1.234` is.
    text = f"replace({name}, ',', '.')" if fraction else name
    return f"CASE WHEN contains({name}, '.') THEN 'a point' ELSE {text} END"


def _place(con: duckdb.DuckDBPyConnection, delivery: Delivery, test: str) -> str:
    """Return where the first row is of which the test holds."""
    con.execute("SET preserve_insertion_order = true")
    try:
        for path in delivery.found:
            relation = delivery.scan([path])
            numbered = f"SELECT *, row_number() OVER () AS mesh_row FROM {relation}"
            query = f"SELECT min(mesh_row) FROM ({numbered}) WHERE {test}"
            [(row,)] = con.execute(query).fetchall()
            if row is not None:
                return _line(path, delivery.dialect, int(row))
    finally:
        con.execute("SET preserve_insertion_order = false")
    return "a file"


def _line(path: Path, options: Mapping[str, Any], row: int) -> str:
    """Return the line on which a row begins, of CSV and of JSON with one record a line."""
    if not options:
        return place_of_record(path, row)
    if path.suffix in PACKED or options["skip"]:
        return f"{path.name}: record {row}"
    quote, before = options["quote"], row - 1 + bool(options["header"])
    with path.open(encoding=str(options.get("encoding", "utf-8-sig")), newline="") as file:
        reader = csv.reader(file, delimiter=options["delim"], quotechar=quote or None,
                            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE)  # fmt: skip
        ended = 0
        for record in reader:
            if record and before == 0:
                break
            before, ended = before - bool(record), reader.line_num
        return f"{path.name}:{ended + 1}"
