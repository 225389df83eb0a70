"""What does checking alone cost?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.data import built, flawed, lineitem
from benchmarks.harness import found, measure, ratio
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale
from benchmarks.questions.product import prove

LIMIT = "limit: one aggregate query"
WORK = (
    "Test one Parquet file with twenty expectations and tell of each whether it holds. Warm "
    "process: imports and a first test of 10,000 rows are outside the measured time; reading the "
    "file is inside. All contestants "
    "give the same verdicts, on clean data and on data with planted flaws."
)
OTHERS = {
    "GX pandas": "gx_pandas",
    "pandera on polars": "pandera_polars",
    "dbt test (dbt-duckdb)": "dbt_duckdb",
}


def ask(bench: Bench) -> Answer:
    """Measure all contestants at each size."""
    sizes = bench.choose((10_000,), (1_000_000,), (1_000_000, 10_000_000))
    if bench.scale is not Scale.QUICK:
        prove(bench, contestants(bench, built(flawed(bench.work, 10_000))))
    measured: list[Measured] = []
    for rows in sizes:
        source = built(lineitem(bench.work, rows))
        repeats = bench.choose(1, 2, 3 if rows > 1_000_000 else 5)
        measured += measure(
            bench,
            f"{rows:,} rows",
            contestants(bench, source),
            repeats=repeats,
            canonical=lambda answer: answer["passed"],
        )
    return Answer("checking", "Checking alone", WORK, tuple(measured), _goals(bench, measured))


def contestants(bench: Bench, source: Path) -> list[Contestant]:
    """Return who takes part."""
    given: dict[str, Any] = {"source": str(source)}
    warm: dict[str, Any] = {"source": str(built(lineitem(bench.work, 10_000)))}
    return [
        Contestant(OURS, "benchmarks.contestants.ours:checking", given, warm=warm),
        Contestant(LIMIT, "benchmarks.contestants.limit:checking", given, warm=warm),
        *(
            Contestant(name, f"benchmarks.contestants.{module}:checking", given, warm=warm)
            for name, module in OTHERS.items()
        ),
    ]


def _goals(bench: Bench, measured: list[Measured]) -> tuple[Goal, ...]:
    goals = []
    for case in dict.fromkeys(one.case for one in measured):
        most = 1.3 if case.startswith("10,000,000") else 2.0
        ours, limit = found(measured, OURS, case), found(measured, LIMIT, case)
        goals.append(ratio(f"{case}: at most {most} x the {LIMIT}", ours, limit, at_most=most))
    return tuple(goal if bench.scale is not Scale.TINY else goal.not_judged() for goal in goals)
