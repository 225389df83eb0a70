"""`mesh gc`, `mesh verify` and `mesh catalog`: commands that look after the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from dataops_mesh.cli.output import Format, say, show
from dataops_mesh.cli.workspace import open_workspace
from dataops_mesh.engine.collect import Collected, Item

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


def collect_garbage(output: Format, *, delete: bool) -> int:
    """Show what nobody can reach any more and why the rest stays; delete it if asked to."""
    from dataops_mesh.run.collection import collect_store
    from dataops_mesh.run.environment import open_environment

    settings, mesh = open_workspace()
    environment = open_environment(settings)
    found = collect_store(environment, mesh.products, dry_run=not delete)
    rows = [*_rows("candidate", found.gone), *_rows("leftover", found.litter)]
    if output is Format.JSON:
        releases = [
            {"kind": "release", "name": str(number), "bytes": 0, "action": "delete", "why": ""}
            for number in found.releases
        ]
        kept = [{**row, "action": "keep"} for row in _rows("candidate", found.kept)]
        show([*releases, *rows, *kept], output, columns=())
        return 0
    show(rows, output, columns=("kind", "name", "bytes"), empty="nothing to delete")
    _say_kept(found, deleted=delete)
    return 0


def _rows(kind: str, items: Iterable[Item]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "name": i.name, "bytes": i.bytes, "action": "delete", "why": i.why}
        for i in items
    ]


def _say_kept(found: Collected, *, deleted: bool) -> None:
    """Tell people how much goes and, by reason, what stays."""
    gone = [*found.gone, *found.litter]
    did = "deleted" if deleted else "to delete"
    say(f"\n{did}: {len(gone)}, {size_of(found.bytes)}; releases: {len(found.releases)}")
    for why, count in _by_reason(found.kept).items():
        size = size_of(sum(item.bytes for item in found.kept if _reason(item) == why))
        say(f"kept: {count}, {size}: {why}")
    if gone and not deleted:
        say("\nnothing was deleted; `mesh gc --yes` does it")


def _by_reason(items: Iterable[Item]) -> dict[str, int]:
    return dict(Counter(_reason(item) for item in items).most_common())


def _reason(item: Item) -> str:
    """Return the reason without the number of the publication or release."""
    return " ".join(word for word in item.why.split() if not word.isdigit())


def size_of(count: int) -> str:
    """Return a size in the unit that people would choose.

    >>> size_of(1_234_567)
    '1.2 MB'
    """
    value = float(count)
    for unit in _UNITS:
        if value < _THOUSAND or unit == _UNITS[-1]:
            return f"{value:,.0f} {unit}" if unit == _UNITS[0] else f"{value:,.1f} {unit}"
        value /= _THOUSAND
    raise AssertionError
