"""What does the gate add to a small product in a warm process?"""

from __future__ import annotations

from benchmarks.data import lineitem
from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Scale

DEFAULT = f"{OURS}, on Dagster's default event log"
PLAIN = "plain Dagster asset, no checks"
KEPT = "the same, on the instance that mesh writes"
STORED = "plain Dagster asset, as many results that nobody computed"
WORK = (
    "A product of 1,000 rows with twenty expectations, again and again in one process, beside a "
    "Dagster asset that writes the same rows to Parquet and checks nothing. All on instances in "
    "files: ours on the one that `mesh` writes, a plain asset on Dagster's default, and each once "
    "the other way round. The last contestant is the plain asset with as many check results as "
    "ours has, all invented. Each figure is the median of the runs in a process, after a first one."
)


def ask(bench: Bench) -> Answer:
    """Measure all."""
    times = bench.choose(2, 5, 20)
    given = {"source": str(lineitem(bench.work, 1_000)), "times": times}
    module = "benchmarks.contestants.small"
    contestants = [
        Contestant(OURS, f"{module}:ours", given),
        Contestant(DEFAULT, f"{module}:ours", {**given, "kept": False}),
        Contestant(PLAIN, f"{module}:plain", given),
        Contestant(KEPT, f"{module}:plain", {**given, "kept": True}),
        Contestant(STORED, f"{module}:plain", {**given, "results": True}),
    ]
    measured = measure(bench, "1,000 rows", contestants, repeats=bench.choose(1, 1, 5))
    ours = found(measured, OURS)
    # Beside the asset on the same event log: that ours is faster is not the gate's doing.
    added = 1000 * (ours.seconds - found(measured, KEPT).seconds)
    beside = 1000 * (ours.seconds - found(measured, PLAIN).seconds)
    goal = Goal("at most 150 ms added, on the same event log", added, at_most=150, unit="ms")
    notes = (f"Beside the plain asset on Dagster's default it is {beside:+.0f} ms.",)
    goals = (goal if bench.scale is not Scale.TINY else goal.not_judged(),)
    return Answer(
        "small", "A small product in a warm process", WORK, tuple(measured), goals, notes=notes
    )
