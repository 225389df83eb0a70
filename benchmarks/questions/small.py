"""What does the gate add to a small product in a warm process?"""

from __future__ import annotations

from benchmarks.data import lineitem
from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Scale

PLAIN = "plain Dagster asset, no checks"
STORED = "plain Dagster asset, as many results that nobody computed"
WORK = (
    "A product of 1,000 rows with twenty expectations, again and again in one process, beside a "
    "Dagster asset that writes the same rows to Parquet and checks nothing. The third contestant "
    "is that asset with as many check results as ours has, all invented: what Dagster needs to "
    "store them is the floor of anything that shows its checks in Dagster. Each figure is the "
    "median of the runs in a process, after a first one."
)


def ask(bench: Bench) -> Answer:
    """Measure both."""
    times = bench.choose(2, 5, 20)
    given = {"source": str(lineitem(bench.work, 1_000)), "times": times}
    contestants = [
        Contestant(OURS, "benchmarks.contestants.small:ours", given),
        Contestant(PLAIN, "benchmarks.contestants.small:plain", given),
        Contestant(STORED, "benchmarks.contestants.small:plain", {**given, "results": True}),
    ]
    measured = measure(bench, "1,000 rows", contestants, repeats=bench.choose(1, 1, 5))
    added = 1000 * (found(measured, OURS).seconds - found(measured, PLAIN).seconds)
    goal = Goal("at most 150 ms added", added, at_most=150, unit="ms")
    floor = 1000 * (found(measured, STORED).seconds - found(measured, PLAIN).seconds)
    notes = (f"{floor:.0f} of these {added:.0f} ms are Dagster storing the results.",)
    goals = (goal if bench.scale is not Scale.TINY else goal.not_judged(),)
    return Answer(
        "small", "A small product in a warm process", WORK, tuple(measured), goals, notes=notes
    )
