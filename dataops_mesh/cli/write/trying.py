"""`mesh test`: the examples beside products."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.workspace import named, open_readable, say_unreadable
from dataops_mesh.errors import DeclarationError
from dataops_mesh.testing.examples import Outcome, examples_of, run_example


def run_examples(names: Sequence[str], output: Format) -> int:
    """Run every example of the named products; return 1 if one did not come out as expected."""
    _, mesh = open_readable()
    say_unreadable(mesh, names)
    rows = []
    for product in named(mesh, names):
        for example in examples_of(product.folder):
            try:
                outcome = run_example(example)
            except DeclarationError as error:
                outcome = Outcome(example, tuple(map(str, error.problems)))
            rows.append(
                {
                    "product": product.qualified_name,
                    "example": example.name,
                    "ended": "failed" if outcome.wrong else "passed",
                    "wrong": list(outcome.wrong),
                }
            )
    failed = sum(row["ended"] == "failed" for row in rows)
    shown = ("product", "example", "ended", *(("wrong",) if failed else ()))
    empty = "no examples: docs/testing.md says how one is written"
    show(rows, output, columns=shown, empty=empty, wrap="wrong")
    if rows:
        say(f"\n{len(rows) - failed} passed, {failed} failed")
    return REFUSED if failed else 0
