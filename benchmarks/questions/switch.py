"""How long does a publication take, once the candidate is there?"""

from __future__ import annotations

from typing import Any

from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

COMMIT, ALL = f"{OURS}: commit", f"{OURS}: commit and catalog"
WORK = (
    "A candidate is written, checked and has its manifest. Measured is the commit, after which "
    "every reader of the library sees the new release; and the commit together with the catalog, "
    "which other DuckDB clients open. Every file is looked at, none is read. Each figure is the "
    "median of several publications after a first one."
)


def ask(bench: Bench) -> Answer:
    """Measure by ports at few rows, and by rows at one port."""
    by_ports = bench.choose((1, 3), (1, 10, 500), (1, 10, 500))
    by_rows = bench.choose((1_000,), (1_000, 1_000_000), (1_000, 1_000_000, 100_000_000))
    cases = [(ports, 1_000) for ports in by_ports] + [(1, rows) for rows in by_rows[1:]]
    measured: list[Measured] = []
    for ports, rows in cases:
        given: dict[str, Any] = {"ports": ports, "rows": rows, "times": bench.choose(2, 10, 20)}
        contestants = [
            Contestant(name, "benchmarks.contestants.switch:switch", {**given, "catalog": wait})
            for name, wait in ((COMMIT, False), (ALL, True))
        ]
        case = f"{ports} port{'s' if ports > 1 else ''} x {rows:,} rows"
        measured += measure(bench, case, contestants, repeats=bench.choose(1, 1, 3))
    goals = _goals(measured) if bench.scale is not Scale.TINY else ()
    return Answer("switch", "The switch of a publication", WORK, tuple(measured), goals)


def _goals(measured: list[Measured]) -> tuple[Goal, ...]:
    ten = 1000 * found(measured, ALL, "10 ports").seconds
    many = 1000 * found(measured, ALL, "500 ports").seconds
    rows = [one for one in measured if one.contestant == ALL and one.case.startswith("1 port ")]
    text = f"flat in rows: {rows[-1].case} at most 1.3 x {rows[0].case}"
    return (
        Goal("less than 100 ms at 10 ports", ten, at_most=100, unit="ms"),
        Goal("less than 500 ms at 500 ports", many, at_most=500, unit="ms"),
        Goal(text, rows[-1].seconds / rows[0].seconds, at_most=1.3),
    )
