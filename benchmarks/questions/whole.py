"""Does a command for one product cost more because others have many?"""

from __future__ import annotations

from benchmarks.harness import found, measure, ratio
from benchmarks.model import OURS, Answer, Bench, Contestant, Measured, Scale

COMMANDS = {
    "run": "mesh run PRODUCT --partition DAY",
    "status": "mesh status PRODUCT",
    "wrong": "mesh status --wrong PRODUCT",
}
WORK = (
    "A workspace in which every product is published in that many days, each with evidence, files "
    "and views of its own, in domains of twenty; one product, which reads another, is asked for. "
    "Measured is the CPU of the whole command with the processes it starts. The ledger has one "
    "publication of each product: what a long history costs is asked elsewhere."
)


def ask(bench: Bench) -> Answer:
    """Measure whole commands in a small and a large mesh."""
    products = bench.choose((2, 20), (10, 200), (10, 1_000))
    partitions = bench.choose(3, 40, 365)
    measured: list[Measured] = []
    for many in products:
        given = {"products": many, "partitions": partitions, "times": bench.choose(1, 2, 3)}
        contestants = [
            Contestant(
                f"{OURS}: {name}", "benchmarks.contestants.whole:whole", {**given, "what": what}
            )
            for what, name in COMMANDS.items()
        ]
        case = _case(many, partitions)
        measured += measure(bench, case, contestants, repeats=1)
    goals = [
        ratio(
            f"{name}: at most 1.3 x the small mesh",
            found(measured, f"{OURS}: {name}", _case(products[-1], partitions)),
            found(measured, f"{OURS}: {name}", _case(products[0], partitions)),
            at_most=1.3,
        )
        for name in COMMANDS.values()
    ]
    if bench.scale is Scale.TINY:
        goals = [goal.not_judged() for goal in goals]
    return Answer(
        "whole", "A command for one of many products", WORK, tuple(measured), tuple(goals)
    )


def _case(products: int, partitions: int) -> str:
    return f"{products:,} x {partitions:,}"
