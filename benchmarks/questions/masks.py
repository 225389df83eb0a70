"""What do masks, and looking for personal data, cost?"""

from __future__ import annotations

from typing import Any

from benchmarks.harness import found, measure
from benchmarks.model import Answer, Bench, Contestant, Goal, Measured, Scale

NONE, LOOKED, MASKED = "no mask, nothing looked for", "personal data looked for", "three masks too"
WORK = (
    "Read people from one Parquet file (a key, an address, a telephone number, a day, a town and "
    "an amount), check their contract, publish. First with the policy `personal_data` off; then "
    "with it, columns classified; then with the address hashed, the number shown in part and the "
    "day cut to its year. Each in a process that has run the product on 1,000 rows before. All "
    "publish as many rows."
)


def ask(bench: Bench) -> Answer:
    """Measure all three."""
    rows = bench.choose(10_000, 1_000_000, 10_000_000)
    kinds: dict[str, dict[str, Any]] = {
        NONE: {},
        LOOKED: {"looked": True},
        MASKED: {"looked": True, "masked": True},
    }
    contestants = [
        Contestant(name, "benchmarks.contestants.masks:people", {"rows": rows, **kind})
        for name, kind in kinds.items()
    ]
    repeats = bench.choose(1, 2, 3)
    measured = measure(bench, f"{rows:,} rows", contestants, repeats=repeats)
    goals = (
        _goal("looking for personal data", measured, LOOKED, 1.25),
        _goal("masks and looking", measured, MASKED, 1.25),
    )
    judged = bench.scale is Scale.FULL
    return Answer(
        "masks",
        "Masks and personal data",
        WORK,
        tuple(measured),
        tuple(goal if judged else goal.not_judged() for goal in goals),
    )


def _goal(what: str, measured: list[Measured], name: str, at_most: float) -> Goal:
    ratio = found(measured, name).cpu_seconds / found(measured, NONE).cpu_seconds
    return Goal(f"{what}: at most {at_most} x neither, at 10M rows", ratio, at_most=at_most)
