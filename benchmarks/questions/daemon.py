"""What does a small product cost where a daemon runs it?"""

from __future__ import annotations

from benchmarks.data import lineitem
from benchmarks.harness import measure
from benchmarks.model import OURS, Answer, Bench, Contestant

WORK = (
    "A product of 1,000 rows with twenty expectations, launched by `dagster job launch` into the "
    "queue of a real `dagster-daemon`, which starts a process for each run; beside a plain Dagster "
    "asset that writes the same rows and checks nothing. In production one gate serves all runs; "
    "without the setting `gate`, each run starts one. Seconds are from the launch to the end of "
    "the run; CPU seconds are of every process in that time: the launch, the daemon, its code "
    "server, the run. Most of both is Python starting four times."
)


def ask(bench: Bench) -> Answer:
    """Measure ours on both event logs, and the plain asset on Dagster's default."""
    given = {"source": str(lineitem(bench.work, 1_000)), "times": bench.choose(1, 2, 5)}
    module = "benchmarks.contestants.daemon"
    default = {**given, "kept": False}
    contestants = [
        Contestant(OURS, f"{module}:ours", given),
        Contestant(f"{OURS}, one gate for all runs", f"{module}:ours", {**given, "warm": True}),
        Contestant(f"{OURS}, on Dagster's default event log", f"{module}:ours", default),
        Contestant("plain Dagster asset, no checks", f"{module}:plain", given),
    ]
    measured = measure(bench, "1,000 rows", contestants, repeats=bench.choose(1, 1, 3))
    return Answer("daemon", "A small product run by a daemon", WORK, tuple(measured), ())
