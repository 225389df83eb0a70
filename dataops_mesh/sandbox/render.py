"""An impact as JSON, as text and as a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from dataops_mesh.engine.difference import RowDifference
from dataops_mesh.sandbox.impact import Impact, PortImpact

_COLUMNS = 5
_REASONS = 5
PUBLISHED, ELSEWHERE = "published", "elsewhere"


def as_data(impacts: Sequence[Impact]) -> list[dict[str, Any]]:
    """Return an impact as JSON can say it."""
    return [
        {
            **{k: v for k, v in asdict(one).items() if k != "ports"},
            "ports": [asdict(port) | {"address": str(port.address)} for port in one.ports],
        }
        for one in impacts
    ]


def as_rows(impacts: Iterable[Impact]) -> list[dict[str, Any]]:
    """Return an impact as the rows of a table: one for each port."""
    return [
        {
            "product": one.product,
            "why": "edited" if one.edited else "reads it",
            "ended": one.ended,
            "port": str(port.address) if port else "",
            "rows": _rows(port) if port else "",
            "data": "; ".join(said_of(port)) if port else "; ".join(one.reasons[:1]),
            "seconds": one.seconds or None,
        }
        for one in impacts
        for port in (one.ports or (None,))
    ]


def as_markdown(impacts: Sequence[Impact]) -> str:
    """Return an impact as a comment on a pull request."""
    bad = [one for one in impacts if one.ended not in {PUBLISHED, ELSEWHERE}]
    many = f"{len(impacts)} product{'s' * (len(impacts) != 1)} built"
    lines = ["## What the change does to data", ""]
    if not impacts:
        return "\n".join([*lines, "Nothing that is built has changed.", ""])
    lines += [f"{many}, {len(bad)} not published." if bad else f"{many}, all published.", ""]
    lines += ["| product | | ended | port | rows | data |", "|---|---|---|---|---|---|"]
    for row in as_rows(impacts):
        ended = row["ended"] if row["ended"] == PUBLISHED else f"**{row['ended']}**"
        cells = (f"`{row['product']}`", row["why"], ended, row["port"], row["rows"], row["data"])
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    for one in bad:
        lines += ["", f"`{one.product}` was {one.ended}:", ""]
        lines += [f"- {_cell(reason)}" for reason in one.reasons[:_REASONS]]
    keys = [(port, key) for one in impacts for port in one.ports for key in _keys(port)]
    if keys:
        lines += ["", "Some rows that changed:", ""]
        lines += [f"- `{port.address}` {_cell(key)}" for port, key in keys]
    return "\n".join([*lines, ""])


def said_of(port: PortImpact) -> Iterator[str]:
    """Yield what differs at a port, in a few words each."""
    found = port.difference
    if found is None:
        yield "is new" if port.before is None else "is gone"
        return
    yield from found.schema
    if found.changed is None and (found.added or found.removed):
        yield f"+{found.added:,} -{found.removed:,} rows (no key says which is which)"
    elif found.added or found.removed or found.changed:
        yield f"+{found.added:,} -{found.removed:,} ~{found.changed:,} rows"
    yield from _columns(found)
    if not found:
        yield "the same rows"


def key_lines(impacts: Iterable[Impact]) -> Iterator[str]:
    """Yield a line for each key of a changed row that is shown."""
    return (f"{p.address}: {key}" for one in impacts for p in one.ports for key in _keys(p))


def _columns(found: RowDifference) -> Iterator[str]:
    for column in found.columns[:_COLUMNS]:
        largest = f", by up to {column.largest:g}" if column.largest is not None else ""
        yield f"{column.name} differs in {column.rows:,}{largest}"
    if len(found.columns) > _COLUMNS:
        yield f"and {len(found.columns) - _COLUMNS} more columns"


def _keys(port: PortImpact) -> Iterator[str]:
    for key in port.difference.keys if port.difference else ():
        yield ", ".join(f"{name} {value}" for name, value in key.items())


def _rows(port: PortImpact) -> str:
    if port.before == port.after:
        return f"{port.after:,}"
    return f"{_number(port.before)} -> {_number(port.after)}"


def _number(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
