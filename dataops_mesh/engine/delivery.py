"""How a delivered CSV file is read without guessing: a column is text unless its text is its value.

DuckDB looks at a sample and takes `NO` for false, `1.10` for 1.1 and `03/04/2026` for a date. Here
its answer is a proposal: a column is of another type only if every text of it is that value's own
spelling, so that nothing is lost by reading it. Dates are ISO, unless `dateformat` says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql

if TYPE_CHECKING:
    import duckdb

READER = "read_csv"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?"
_ZONE = "(Z|[+-][0-9]{2}(:[0-9]{2})?)"
_SPELLED = {
    # No zero that would be lost; digits are counted below.
    "DOUBLE": "-?(0|[1-9][0-9]*)([.][0-9]*[1-9])?",
    "TIME": _CLOCK,
    "TIMESTAMP": f"{_DAY}[ T]{_CLOCK}",
    "TIMESTAMP WITH TIME ZONE": f"{_DAY}[ T]{_CLOCK}{_ZONE}",
}
_SHOWN = {"BIGINT", "BOOLEAN", "DATE"}  # DuckDB shows a value in one way, and that is the one
_DIGITS = 15  # every double shows so many again
_BY_OPTION = {
    "DATE": "dateformat",
    "TIMESTAMP": "timestampformat",
    "TIMESTAMP WITH TIME ZONE": "timestampformat",
}
_DIALECT = {"quote": '"', "escape": '"', "header": True, "skip": 0, "comment": ""}
_DECIDED = {"columns", "all_varchar", "auto_detect"}  # somebody has said what the columns are
_NAMING = {*_DECIDED, "types"}
_SMALL = 64  # bytes of a file that may hold nothing


class UnclearDelivery(Exception):  # noqa: N818 - becomes a SourceError where the source is known
    """A delivery of which nobody can say what it holds.

    Args:
        what: what is unclear.
        then: what clears it.
    """

    def __init__(self, what: str, then: str) -> None:
        super().__init__(what)
        self.then = then


def require_something(found: Sequence[Path], options: Mapping[str, Any]) -> None:
    """Refuse a delivery that has neither a row nor a header, where nothing else names columns."""
    if {"columns", "names"} & options.keys():
        return
    if all(file.stat().st_size <= _SMALL and not _said_in(file) for file in found):
        what = "the delivery is empty, and nobody says what its columns are"
        raise UnclearDelivery(what, "write a contract of the source: inputs/<input>.odcs.yaml")


def require_alike(
    con: duckdb.DuckDBPyConnection, found: Sequence[Path], options: Mapping[str, Any]
) -> None:
    """Refuse CSV files that name other columns than the first, or in another order than is said.

    DuckDB reads what the first file names, and goes by the order where the options name columns.

    Args:
        con: the session.
        found: the files.
        options: what the input port says.
    """
    said = [name.lower() for name in options.get("columns") or ()]
    asked = dialect(found, {k: v for k, v in options.items() if k not in _NAMING})
    asked["all_varchar"] = True  # of types nothing is asked
    alone = len(found) == 1 and not said
    if alone or asked["header"] is False or options.get("union_by_name"):
        return
    first: list[str] = []
    for file in found:
        described = con.execute(f"DESCRIBE FROM {sql.scan(READER, [file], asked)}").fetchall()
        names = [str(row[0]).lower() for row in described]
        first = first or names
        if said and {*names} == {*said} and names != said:
            what = f"{file.name} has its columns in another order than the options name them"
            raise UnclearDelivery(what, "name them as the header does, or say `types` instead")
        if not said and (other := sorted({*names} ^ {*first})):
            has = "has" if other[0] in names else "has not"
            what = f'{file.name} {has} the column "{other[0]}", unlike {found[0].name}'
            then = "say `options: {union_by_name: true}`, or write a contract of the source"
            raise UnclearDelivery(what, then)


def require_names_once(
    con: duckdb.DuckDBPyConnection, found: Sequence[Path], options: Mapping[str, Any]
) -> None:
    """Refuse a CSV file whose header has a name twice: DuckDB gives the later one another name.

    Args:
        con: the session.
        found: the files.
        options: what the input port says; where it names the columns, no header does.
    """
    asked = dialect(found, {k: v for k, v in options.items() if k not in _NAMING})
    if asked["header"] is False or "columns" in options:
        return
    asked |= {"header": False, "all_varchar": True, "union_by_name": False}
    for file in found:
        header = con.execute(f"FROM {sql.scan(READER, [file], asked)} LIMIT 1").fetchone() or ()
        seen: dict[str, int] = {}
        for at, name in enumerate((str(cell or "").strip().lower() for cell in header), 1):
            # No name is told: of a file without a header it would be a value.
            if name and seen.setdefault(name, at) != at:
                what = f"{file.name} has the same name in columns {seen[name]} and {at}"
                then = "have each delivered by its own, or `options: {header: false, skip: 1}`"
                raise UnclearDelivery(what, then)


def _said_in(file: Path) -> bytes:
    return b"".join(file.read_bytes().removeprefix(b"\xef\xbb\xbf").split()).removeprefix(b"[]")


def lossless(
    con: duckdb.DuckDBPyConnection, found: Sequence[Path], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options that read the files with every text kept.

    Args:
        con: the session.
        found: the files.
        options: what the input port says; a type that it gives to a column stands.
    """
    options = _iso(dialect(found, options))
    if _DECIDED & options.keys():
        return dict(options)
    described = con.execute(f"DESCRIBE FROM {sql.scan(READER, found, options)}").fetchall()
    _one_delimiter([str(row[0]) for row in described], options)
    said = options.get("types") or {}
    proposed = {
        str(name): str(kind)
        for name, kind, *_ in described
        if kind != "VARCHAR" and name not in said and _BY_OPTION.get(kind, "") not in options
    }
    as_text = dict(options)
    if proposed:
        as_text["types"] = {**said, **dict.fromkeys(proposed, "VARCHAR")}
    # All is read once here, so that what cannot be read is said before anything is built.
    tests = ", ".join(_kept(name, kind) for name, kind in proposed.items()) or "count(*)"
    [kept] = con.execute(f"SELECT {tests} FROM {sql.scan(READER, found, as_text)}").fetchall()
    types = {
        name: kind if whole else "VARCHAR"
        for (name, kind), whole in zip(proposed.items(), kept, strict=False)
    }
    return {**options, "types": {**said, **types}} if proposed else dict(options)


def dialect(found: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with what a CSV file is where they do not say otherwise.

    DuckDB would find a delimiter, quotes, comments and a header in the values, and others in the
    next delivery: apostrophes around all values of a day are quotes then.
    """
    tabs = all(".tsv" in path.suffixes[-2:] for path in found)
    return {"delim": "\t" if tabs else ",", **_DIALECT, **options}


def _one_delimiter(names: Sequence[str], options: Mapping[str, Any]) -> None:
    """Refuse a file whose header another delimiter would split."""
    if len(names) != 1 or "sep" in options:
        return
    found = next((mark for mark in ";\t|" if mark in names[0] and mark != options["delim"]), None)
    if found is not None:
        what = f"the header has no {options['delim']!r} and may be split by {found!r}"
        raise UnclearDelivery(what, f"say it: `options: {{delim: {found!r}}}`")


def _iso(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with ISO dates where a column is said to be a date and no format is.

    DuckDB would find a format in the values, and another one in the next delivery.
    """
    said = [options.get(key) or {} for key in ("types", "columns")]
    kinds = {
        str(kind).upper()
        for given in said
        for kind in (given.values() if isinstance(given, Mapping) else given)
    }
    return {"dateformat": "%Y-%m-%d", **options} if "DATE" in kinds else dict(options)


def _kept(name: str, kind: str) -> str:
    """Return the test that every text of a column is the spelling of its value."""
    column, pattern = sql.identifier(name), _SPELLED.get(kind)
    value = f"TRY_CAST({column} AS {kind})"
    test = f"CAST({value} AS VARCHAR) = {column}"
    if pattern is not None:
        spelled = f"regexp_full_match({column}, {sql.literal(pattern)}) AND {value} IS NOT NULL"
        if kind == "DOUBLE":
            spelled += f" AND length(translate({column}, '-.', '')) <= {_DIGITS}"
        test = f"{test} OR ({spelled})"
    elif kind not in _SHOWN:
        return "false"
    return f"coalesce(bool_and({column} IS NULL OR coalesce({test}, false)), false)"
