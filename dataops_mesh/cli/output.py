"""How the CLI speaks: aligned tables for people, JSON for machines, problems on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from dataops_mesh.errors import MeshError

REFUSED = 1  # a gate closed, a check found problems
WRONG = 2  # the call, a declaration or a setting is not valid

COLOURS = {
    "published": "green",
    "refused": "red",
    "failed": "red",
    "error": "red",
    "held": "yellow",
    "never": "yellow",
}


class Format(StrEnum):
    """For people or for machines."""

    TABLE = "table"
    JSON = "json"


def show(
    rows: Sequence[Mapping[str, Any]], output: Format, *, columns: Sequence[str], empty: str = ""
) -> None:
    """Print rows of facts.

    Args:
        rows: one mapping per row.
        output: a table, or JSON with every key of the rows.
        columns: the keys that the table shows, in order.
        empty: what to tell a person when there is no row.
    """
    if output is Format.JSON:
        print(json.dumps([dict(row) for row in rows], default=str, indent=1))  # noqa: T201 - the CLI's output
        return
    if not rows:
        say(empty)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(c)), COLOURS.get(str(row.get(c)), "")) for c in columns))
    console().print(table)


def console(*, stderr: bool = False) -> Any:
    """Return a console that does not cut lines when nobody watches."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 200
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def say(text: str) -> None:
    """Tell a person something on stderr, so that stdout stays for facts."""
    print(text, file=sys.stderr)  # noqa: T201 - the CLI's output


def say_problems(error: MeshError) -> None:
    """Print every problem of an error, one after the other."""
    for problem in error.problems:
        say(f"error: {problem}")


def lines(text: str, limit: int) -> Iterable[str]:
    """Return the first lines of a text, and how many were left out."""
    found = text.splitlines()
    yield from found[:limit]
    if len(found) > limit:
        yield f"... and {len(found) - limit} more lines"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)
