"""How long does a code location take to load, and how does that grow?"""

from __future__ import annotations

from benchmarks.harness import found, measure, ratio
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

AGAIN = f"{OURS}, files that were loaded before"
HAND = "hand-written Dagster definitions"
WORK = (
    "One domain: declarations are read, validated and turned into Dagster definitions, and the "
    "repository is built, as a code server does. Beside it the same assets, edges and checks "
    "(compared by number) made by a loop of plain Dagster calls, with nothing to read and nothing "
    "to validate. Dagster's imports are not measured. Each twice: with nothing kept, as after an "
    "edit of every file or a new version; and as another process that has loaded the same files."
)


def ask(bench: Bench) -> Answer:
    """Measure both at growing sizes."""
    sizes = bench.choose((2, 4), (10, 100), (10, 100, 1000))
    measured: list[Measured] = []
    for products in sizes:
        given = {"products": products}
        contestants = [
            Contestant(OURS, "benchmarks.contestants.loading:ours", given),
            Contestant(AGAIN, "benchmarks.contestants.loading:ours", {**given, "again": True}),
            Contestant(HAND, "benchmarks.contestants.loading:by_hand", given),
        ]
        repeats = bench.choose(1, 2, 3)
        measured += measure(bench, f"{products} products", contestants, repeats=repeats)
    goals = [
        ratio(
            f"{size} products, loaded before: at most 1.3 x the {HAND}",
            found(measured, AGAIN, f"{size} products"),
            found(measured, HAND, f"{size} products"),
            at_most=1.3,
        )
        for size in sizes
    ]
    last, before = (found(measured, OURS, f"{size} products") for size in (sizes[-1], sizes[-2]))
    growth = (last.seconds / sizes[-1]) / (before.seconds / sizes[-2])
    text = f"linear: a product of {sizes[-1]} costs at most 1.3 x one of {sizes[-2]}"
    goals.append(Goal(text, growth, at_most=1.3))
    if bench.scale is Scale.TINY:
        goals = [goal.not_judged() for goal in goals]
    return Answer("loading", "Load a domain's definitions", WORK, tuple(measured), tuple(goals))
