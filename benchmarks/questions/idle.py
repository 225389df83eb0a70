"""What does a domain cost in which nothing happens?"""

from __future__ import annotations

from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

EMPTY = "two empty Dagster sensors"
DOMAINS = 50
INTERVAL = 30  # seconds, the setting `tick`
PERCENT = 2
WORK = (
    "Domains of four published products, with alerts and automation, in which nothing happens. "
    "First the ticks of both sensors of one, in the process of a code server: CPU for each pair. "
    "Then real ones: a code server for each domain and one `dagster-daemon`, and the CPU that all "
    "of these take per second once every sensor rests. Beside them as many code locations with two "
    "sensors that only say that there is nothing: what Dagster itself costs."
)


def ask(bench: Bench) -> Answer:
    """Measure ticks, and whole instances."""
    module = "benchmarks.contestants.idle"
    ticks = {"ticks": bench.choose(2, 50, 200)}
    measured: list[Measured] = measure(
        bench,
        "two ticks",
        [
            Contestant(OURS, f"{module}:ours", ticks),
            Contestant(EMPTY, f"{module}:empty", ticks),
        ],
        repeats=bench.choose(1, 2, 3),
    )
    pair = found(measured, OURS, "two ticks").cpu_seconds
    goals = [
        Goal(
            f"{DOMAINS} domains: ticks with nothing new take at most {PERCENT} % of a core",
            pair * DOMAINS / INTERVAL * 100,
            at_most=PERCENT,
            unit="%",
        )
    ]
    if bench.scale is not Scale.TINY:
        given = {"locations": bench.choose(1, 2, 5), "seconds": bench.choose(1, 60, 180)}
        measured += measure(
            bench,
            f"{given['locations']} code locations, each second",
            [
                Contestant(OURS, f"{module}:ours_served", given),
                Contestant(EMPTY, f"{module}:empty_served", given),
            ],
            repeats=1,
        )
    else:
        goals = [goal.not_judged() for goal in goals]
    return Answer("idle", "A domain in which nothing happens", WORK, tuple(measured), tuple(goals))
