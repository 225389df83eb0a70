"""How long do an import and a command take to start?"""

from __future__ import annotations

from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Scale

NOTHING = "python -c pass"
COMMANDS = {
    "import dataops_mesh": (["-c", "import dataops_mesh"], 0.3),
    "mesh --help": (["-m", "dataops_mesh.cli.main", "--help"], 0.5),
    "mesh check on the examples": (["-m", "dataops_mesh.cli.main", "check"], 2.0),
}
WORK = (
    "Whole processes, from start to end, with compiled byte code. What counts is the time beyond "
    "that of an interpreter which does nothing."
)


def ask(bench: Bench) -> Answer:
    """Measure each command."""
    call = "benchmarks.contestants.starting:command"
    contestants = [
        Contestant(NOTHING, call, {"arguments": ["-c", "pass"]}),
        *(
            Contestant(f"{OURS}: {name}", call, {"arguments": arguments})
            for name, (arguments, _) in COMMANDS.items()
        ),
    ]
    measured = measure(bench, "start to end", contestants, repeats=bench.choose(1, 3, 7))
    nothing = found(measured, NOTHING).seconds
    goals = tuple(
        Goal(
            f"{name}: at most {most} s beyond the interpreter",
            found(measured, f"{OURS}: {name}").seconds - nothing,
            at_most=most,
            unit="s",
        )
        for name, (_, most) in COMMANDS.items()
    )
    if bench.scale is Scale.TINY:
        goals = tuple(goal.not_judged() for goal in goals)
    return Answer("starting", "Import and start", WORK, tuple(measured), goals)
