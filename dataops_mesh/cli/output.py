"""How the CLI speaks: aligned tables for people, JSON for machines, problems on stderr."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any

from dataops_mesh.errors import MeshError

REFUSED = 1  # a gate closed, a check found problems
WRONG = 2  # the call, a declaration or a setting is not valid
BUG = 3  # mesh itself failed
INTERRUPTED = 130  # as shells count a Ctrl-C

COLOURS = {
    "published": "green",
    "refused": "red",
    "failed": "red",
    "error": "red",
    "held": "yellow",
    "waiting": "yellow",
    "due": "yellow",
    "stale": "yellow",
    "late": "red",
    "cancelled": "yellow",
    "never": "yellow",
}


Cell = Callable[[Any], str]
_WIDE = 100_000
PAGE = 100  # columns
_NARROW = 30


class Format(StrEnum):
    """For people or for machines."""

    TABLE = "table"
    JSON = "json"


def show(  # noqa: PLR0913 - keywords, each a fact of how it looks
    rows: Sequence[Mapping[str, Any]],
    output: Format,
    *,
    columns: Sequence[str],
    empty: str = "",
    cell: Cell | None = None,
    wrap: str | tuple[str, ...] = "",
    head: bool = True,
) -> None:
    """Print rows of facts.

    Args:
        rows: one mapping per row.
        output: a table, or JSON with every key of the rows.
        columns: the keys that the table shows, in order.
        empty: what to tell a person when there is no row.
        cell: how a value is written in a table.
        wrap: the columns of sentences, whose lines are broken so that the table fits a page.
        head: whether the table names its columns.
    """
    if output is Format.JSON:
        print(json.dumps([plain_facts(dict(row)) for row in rows], default=str, indent=1))  # noqa: T201 - the CLI's output
        return
    if not rows:
        say(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    write = cell or fact
    cells = [[write(row.get(column)) for column in columns] for row in rows]
    sentences = (wrap,) if isinstance(wrap, str) else wrap
    wrapped = [index for index, column in enumerate(columns) if column in sentences]
    if wrapped:
        _break_lines(cells, columns, wrapped, head=head)
    table = Table(
        show_header=head, box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0)
    )
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(Text(column), justify="right" if numeric else "left", no_wrap=True)
    for row, texts in zip(rows, cells, strict=True):
        colours = (COLOURS.get(str(row.get(column)), "") for column in columns)
        table.add_row(*map(Text, texts, colours))
    console = Console(highlight=False)
    # A line that is too long for the screen is the screen's to wrap: folded columns cannot be
    # read, searched or copied.
    wide = console.options.update(width=_WIDE)
    console.width = max(console.measure(table, options=wide).maximum, 1)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())  # noqa: T201 - the CLI's output


def _break_lines(
    cells: Sequence[list[str]], columns: Sequence[str], wrapped: Sequence[int], *, head: bool
) -> None:
    """Break the lines of columns at words, so that the table is as wide as a page."""
    from textwrap import wrap

    def width(index: int) -> int:
        lines = [line for row in cells for line in row[index].splitlines()]
        return max([len(columns[index]) * head, *map(len, lines)])

    others = sum(width(index) + 2 for index in range(len(columns)) if index not in wrapped)
    room = max((PAGE - others) // len(wrapped) - 2 * (len(wrapped) - 1), _NARROW)
    for row in cells:
        for at in wrapped:
            found = (wrap(line, room, break_on_hyphens=False) for line in row[at].splitlines())
            row[at] = "\n".join(line for lines in found for line in lines or [""])


def say(text: str) -> None:
    """Tell a person something on stderr, so that stdout stays for facts."""
    print(text, file=sys.stderr)  # noqa: T201 - the CLI's output


def say_problems(error: MeshError) -> None:
    """Print every problem of an error, one after the other."""
    for problem in error.problems:
        say(f"error: {problem}")


def say_disk(error: OSError) -> None:
    """Say that the machine's disk refused, which is no bug."""
    from dataops_mesh.disk import disk_problem

    say(f"error: {disk_problem(error)}")


def say_bug(error: Exception) -> None:
    """Say that mesh failed, and keep the traceback, which may repeat data, in a private file."""
    descriptor, file = tempfile.mkstemp(prefix="mesh-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        traceback.print_exception(error, file=stream)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "dataops_mesh" in f.filename]
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    say(f"error: a bug in mesh: {type(error).__name__}{where}\n  next:  report it, with {file}")


def lines(text: str, limit: int) -> Iterable[str]:
    """Return the first lines of a text, and how many were left out."""
    found = text.splitlines()
    yield from found[:limit]
    if len(found) > limit:
        yield f"... and {len(found) - limit} more lines"


def fact(value: Any) -> str:
    """Write one fact for people: grouped digits, times without fractions of a second."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "\n".join(fact(item) for item in value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def value_of_data(value: Any) -> str:
    """Write one value of the data as it is: a year is no amount."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def plain_facts(value: Any) -> Any:
    """Return a value that JSON has: no infinity, no bytes, no number that loses digits."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain_facts(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_facts(item) for item in value]
    return value
