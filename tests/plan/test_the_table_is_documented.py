from __future__ import annotations

from pathlib import Path

from dataops_mesh.plan.change import BUMPS
from dataops_mesh.plan.table import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "changes.md"


def table() -> str:
    """Return the table of judgements as docs/changes.md shows it."""
    head = "| change | for consumers | needs | back? | because |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {row.title} | {row.compatibility} | {BUMPS[row.compatibility]} | "
        f"{'**no**: ' + row.one_way if row.one_way else 'yes'} | {row.why} |\n"
        for row in TABLE.values()
    )


def test_the_page_shows_the_table_that_judges():
    assert table() in PAGE.read_text("utf-8")
