"""Does memory grow with rows?"""

from __future__ import annotations

from typing import Any

from benchmarks.data import lineitem
from benchmarks.harness import measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

LIMIT_MB = 1024
# Dagster, Great Expectations and pandas take about 400 MB before the first row is read.
PYTHON_MB = 600
PYTHON = f"{OURS}: Python's own allocations"
WORK = (
    f"The product of the first question with DuckDB's memory limit set to {LIMIT_MB} MB. Peak "
    "memory is the most that the whole process held (VmHWM): DuckDB takes what it may before it "
    "spills, so it grows up to the limit and no further. What Python itself allocates during the "
    "work (tracemalloc, in a run of its own) must not grow with the rows."
)


def ask(bench: Bench) -> Answer:
    """Measure ours at growing sizes."""
    sizes = bench.choose((10_000,), (300_000, 1_000_000), (1_000_000, 10_000_000, 30_000_000))
    measured: list[Measured] = []
    for rows in sizes:
        given = {"source": str(lineitem(bench.work, rows)), "memory_limit": f"{LIMIT_MB}MiB"}
        several = [
            Contestant(OURS, "benchmarks.contestants.ours:product", given),
            Contestant(PYTHON, "benchmarks.contestants.ours:python_memory", given),
        ]
        case = f"{rows:,} rows"
        measured += measure(bench, case, several, repeats=1, canonical=_verdicts)
    return Answer(
        "memory",
        "Peak memory",
        WORK,
        tuple(measured),
        _goals(bench, measured),
        axis="memory",
    )


def _verdicts(answer: Any) -> Any:
    return answer["passed"]


def _goals(bench: Bench, measured: list[Measured]) -> tuple[Goal, ...]:
    whole = [one for one in measured if one.contestant == OURS]
    python = [one for one in measured if one.contestant == PYTHON]
    bound = LIMIT_MB + PYTHON_MB
    text = f"at most {bound} MB: DuckDB's limit and {PYTHON_MB} MB for Python and its imports"
    goals = [Goal(text, max(one.peak_mb for one in whole), at_most=bound, unit="MB")]
    if len(python) > 1:
        text = f"Python's own, from {python[0].case} to {python[-1].case}, at most 1.1 x"
        goals.append(Goal(text, python[-1].peak_mb / python[0].peak_mb, at_most=1.1))
    return tuple(goal if bench.scale is Scale.FULL else goal.not_judged() for goal in goals)
