"""Do looking and publishing slow down as history grows?"""

from __future__ import annotations

from benchmarks.data import lineitem
from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

WHAT = ("status", "history", "publish")
WORK = (
    "The same three things with a short and a long history of fifty products, ten results for "
    "each publication: what `mesh status` and `mesh history` ask the ledger, and one whole run of "
    "a product of 1,000 rows. Each figure is the median of several times in a warm process."
)


def ask(bench: Bench) -> Answer:
    """Measure each with a short and a long history."""
    short, long = bench.choose((10, 100), (1_000, 10_000), (1_000, 100_000))
    measured: list[Measured] = []
    for publications in (short, long):
        for what in WHAT:
            given = {
                "source": str(lineitem(bench.work, 1_000)),
                "publications": publications,
                "what": what,
                "times": bench.choose(1, 10, 10),
            }
            one = Contestant(f"{OURS}: {what}", "benchmarks.contestants.ledger:ledger", given)
            case = f"{publications:,} publications"
            measured += measure(bench, case, [one], repeats=bench.choose(1, 1, 3))
    goals = [_flat(measured, what, short, long) for what in WHAT]
    if bench.scale is Scale.TINY:
        goals = [goal.not_judged() for goal in goals]
    return Answer("ledger", "A long history", WORK, tuple(measured), tuple(goals))


def _flat(measured: list[Measured], what: str, short: int, long: int) -> Goal:
    few, many = (found(measured, f"{OURS}: {what}", f"{count:,} ") for count in (short, long))
    text = f"{what} is flat: at {long:,} at most 1.3 x the time at {short:,}"
    return Goal(text, many.seconds / few.seconds, at_most=1.3)
