"""A product of two ports, and a process that dies between two effects on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers import a_product, a_source

from dataops_mesh.store import files

BOTH = "select min(l.n), max(l.n), min(r.n), max(r.n) from shop.left as l, shop.right as r"
NUMBER = "{name: n, logicalType: integer, required: true}"


class Crash(BaseException):
    """Stands for `kill -9`: no effect on the disk happens after it."""


@contextmanager
def crashing(after: int) -> Iterator[None]:
    """Let so many effects on the disk happen, then none."""
    happened = 0

    def before(effect: str, path: Path) -> None:
        nonlocal happened
        if happened >= after:
            raise Crash
        happened += 1

    original = files.before
    files.before = before
    try:
        yield
    finally:
        files.before = original


def both() -> dict[str, str | bytes]:
    return a_product(
        {"left": [NUMBER], "right": [NUMBER]},
        inputs=[a_source("rows", "rows.csv", more="options: {types: {l: INTEGER, r: INTEGER}}")],
        files={
            "left.sql": "select l as n from rows",
            "right.sql": "select r as n from rows",
            "rows.csv": "l,r\n0,0\n",
        },
    )
