"""How does `mesh check` grow with the mesh?"""

from __future__ import annotations

from typing import Any

from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

WORK = (
    "`mesh check` as a whole process on generated meshes in up to 50 domains. Each product has a "
    "contract of twelve columns and two rules and a SQL transform that reads a source and up to "
    "two other products; every built-in policy and a CEL rule hold. Every check ends with exit "
    "code 0."
)


def ask(bench: Bench) -> Answer:
    """Measure at growing sizes."""
    sizes = bench.choose((2,), (30, 100), (100, 300, 1000))
    measured: list[Measured] = []
    for products in sizes:
        one = Contestant(
            f"{OURS}: mesh check", "benchmarks.contestants.check:check", {"products": products}
        )
        case = f"{products} products"
        measured += measure(bench, case, [one], repeats=1, canonical=_ended_well)
    notes = [
        f"{one.case}: {one.samples[0].answer['check_peak_mb']:.0f} MB at most" for one in measured
    ]
    goals = []
    if len(sizes) > 1:
        few, many = (found(measured, measured[0].contestant, f"{n} ") for n in sizes[-2:])
        growth = (many.seconds / sizes[-1]) / (few.seconds / sizes[-2])
        text = f"linear: a product of {sizes[-1]} costs at most 1.3 x one of {sizes[-2]}"
        goals = [Goal(text, growth, at_most=1.3)]
    judged = bench.scale is not Scale.TINY
    return Answer(
        "check",
        "`mesh check` as the mesh grows",
        WORK,
        tuple(measured),
        tuple(goal if judged else goal.not_judged() for goal in goals),
        tuple(notes),
    )


def _ended_well(answer: Any) -> Any:
    if answer["exit"]:
        raise RuntimeError(answer["said"])
    return answer["exit"]
