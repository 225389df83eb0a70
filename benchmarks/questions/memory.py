"""Does memory grow with rows?"""

from __future__ import annotations

from benchmarks.data import lineitem
from benchmarks.harness import measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

LIMIT_MB = 1024
WORK = (
    f"The product of the first question with DuckDB's memory limit set to {LIMIT_MB} MB. Peak "
    "memory is the most that the whole process held (VmHWM). What is above the limit is Python "
    "and its imports (Dagster, Great Expectations): it must not grow with the rows."
)
# Dagster, Great Expectations and pandas take about 400 MB before the first row is read.
PYTHON_MB = 600


def ask(bench: Bench) -> Answer:
    """Measure ours at growing sizes."""
    sizes = bench.choose((10_000,), (300_000, 1_000_000), (1_000_000, 10_000_000, 30_000_000))
    measured: list[Measured] = []
    for rows in sizes:
        given = {"source": str(lineitem(bench.work, rows)), "memory_limit": f"{LIMIT_MB}MiB"}
        one = Contestant(OURS, "benchmarks.contestants.ours:product", given)
        measured += measure(bench, f"{rows:,} rows", [one], repeats=1)
    return Answer(
        "memory",
        "Peak memory",
        WORK,
        tuple(measured),
        _goals(bench, measured),
        axis="memory",
    )


def _goals(bench: Bench, measured: list[Measured]) -> tuple[Goal, ...]:
    last = measured[-1]
    bound = LIMIT_MB + PYTHON_MB
    text = f"at most {bound} MB: DuckDB's limit and {PYTHON_MB} MB for Python and its imports"
    goals = [Goal(text, last.peak_mb, at_most=bound, unit="MB")]
    if len(measured) > 2:
        before = measured[-2]
        text = f"from {before.case} to {last.case} at most 1.1 x the memory"
        goals.append(Goal(text, last.peak_mb / before.peak_mb, at_most=1.1))
    return tuple(goal if bench.scale is Scale.FULL else goal.not_judged() for goal in goals)
