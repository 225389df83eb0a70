"""What does it cost to add one percent to what a product has?"""

from __future__ import annotations

from typing import Any

from benchmarks.harness import found, measure
from benchmarks.model import Answer, Bench, Contestant, Goal, Measured, Scale

SQL, PYTHON = "ours: SQL, `self` and what is new", "ours: Python, `self` and what is new"
WHOLE = "ours: SQL, everything built again"
DBT = "ours: dbt, an incremental model"
PLAIN, PLAIN_WHOLE = "plain dbt, incremental", "plain dbt, --full-refresh"
WORK = (
    "A product has its rows, and one percent more is delivered. Each contestant adds them (or "
    "builds all of them again) in a process in which it has built the first rows; all end with "
    "the same rows. The dbt product publishes its incremental model as a port, so it writes the "
    "rows twice: as its state, and for consumers. Judged by CPU seconds."
)


def ask(bench: Bench) -> Answer:
    """Measure all."""
    rows = bench.choose(10_000, 1_000_000, 10_000_000)
    module = "benchmarks.contestants.state"
    contestants = [
        Contestant(SQL, f"{module}:sql", {"rows": rows}),
        Contestant(PYTHON, f"{module}:python", {"rows": rows}),
        Contestant(WHOLE, f"{module}:sql", {"rows": rows, "whole": True}),
        Contestant(DBT, f"{module}:dbt", {"rows": rows}),
        Contestant(PLAIN, f"{module}:plain_dbt", {"rows": rows}),
        Contestant(PLAIN_WHOLE, f"{module}:plain_dbt", {"rows": rows, "full": True}),
    ]
    case = f"{rows // 100:,} rows more than {rows:,}"
    measured = measure(bench, case, contestants, repeats=1, canonical=_content)
    goals = (
        _goal("SQL: no more than building it again", measured, SQL, WHOLE, 1),
        _goal("Python: at most 1.3 x building it again in SQL", measured, PYTHON, WHOLE, 1.3),
        _goal("dbt: at most twice plain dbt, incremental", measured, DBT, PLAIN, 2),
    )
    judged = bench.scale is Scale.FULL
    notes = tuple(f"{one.contestant}: {one.samples[-1].answer['mb']:.0f} MB" for one in measured)
    return Answer(
        "state",
        "One percent more rows",
        WORK,
        tuple(measured),
        tuple(goal if judged else goal.not_judged() for goal in goals),
        notes=("Written for the new publication, or plain dbt's whole file: " + "; ".join(notes),),
    )


def _content(answer: Any) -> Any:
    return answer["content"]


def _goal(text: str, measured: list[Measured], one: str, other: str, at_most: float) -> Goal:
    ratio = found(measured, one).cpu_seconds / found(measured, other).cpu_seconds
    return Goal(f"at 10M rows, {text}", ratio, at_most=at_most)
