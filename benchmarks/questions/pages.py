"""Do the mesh's pages stay quick and small as the mesh and its history grow?"""

from __future__ import annotations

from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

NAME = f"{OURS}: the slowest kind of page"
WORK = (
    "A mesh as that many products and publications leave it, ten results for each publication, one "
    "product in twenty with an incident. Each kind of page is asked for several times, with "
    "nothing remembered of how products stand; the figure is the CPU of the slowest kind, and the "
    "answer has all of them, with their sizes."
)


def ask(bench: Bench) -> Answer:
    """Measure a small mesh and a large one."""
    sizes = bench.choose(
        ((8, 40), (16, 80)), ((10, 1_000), (200, 10_000)), ((10, 1_000), (1_000, 100_000))
    )
    measured: list[Measured] = []
    for products, publications in sizes:
        given = {"products": products, "publications": publications, "times": bench.choose(1, 5, 9)}
        one = Contestant(NAME, "benchmarks.contestants.pages:pages", given)
        case = f"{products:,} x {publications:,}"
        measured += measure(bench, case, [one], repeats=bench.choose(1, 1, 3))
    slowest = found(measured, NAME, case)
    kilobytes = max(one["kB"] for one in slowest.samples[0].answer["pages"].values())
    goals = [
        Goal("a page: at most 150 ms", 1000 * slowest.seconds, at_most=150, unit="ms"),
        Goal("a page: at most 100 kB", kilobytes, at_most=100, unit="kB"),
    ]
    if bench.scale is Scale.TINY:
        goals = [goal.not_judged() for goal in goals]
    return Answer(
        "pages", "The mesh's pages as the mesh grows", WORK, tuple(measured), tuple(goals)
    )
