"""What does one product cost: build, test, publish?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.data import content, flawed, lineitem
from benchmarks.environments import SQLMESH, interpreter
from benchmarks.harness import found, measure, ratio, require_same
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale
from benchmarks.work import BROKEN, EXPECTATIONS

LIMIT = "limit: COPY + one aggregate query"
USUAL = "usual: Dagster asset + GX pandas"
DBT = "dbt build (dbt-duckdb)"
SQLMESH_AUDITS = "SQLMesh with audits"
WORK = (
    "Read order lines from one Parquet file, compute a column, write the result, test it with "
    "twenty expectations, make it readable. Imports, parsing and empty projects are prepared "
    "outside the measured time for everyone, and everyone has done a work of 10,000 rows before "
    "in the same process. All outputs have the same rows (count and sum of "
    "hashes over typed columns) and all contestants give the same twenty verdicts, on clean data "
    "and on data with planted flaws. Ours also writes its evidence: the hash of the source, of "
    "every written file and of the content, the manifest, the release, the ledger, the catalog."
)


def ask(bench: Bench) -> Answer:
    """Measure all contestants on clean data, after a proof on flawed data."""
    rows = bench.choose(10_000, 1_000_000, 10_000_000)
    repeats = bench.choose(1, 1, 3)
    source = lineitem(bench.work, rows)
    if bench.scale is not Scale.QUICK:
        prove(bench, contestants(flawed(bench.work, 10_000), blocking=False))
    case = f"{rows:,} rows"
    measured = measure(
        bench,
        case,
        contestants(source, warm=lineitem(bench.work, 10_000)),
        repeats=repeats,
        canonical=_content_and_verdicts,
    )
    return Answer(
        "product",
        "One product: build, test, publish",
        WORK,
        tuple(measured),
        _goals(bench, measured),
        (
            "SQLMesh runs in an environment of its own, because its pins exclude ours.",
            "dbt and SQLMesh write a DuckDB table; the others Parquet, with one compression.",
        ),
    )


def contestants(
    source: Path, *, warm: Path | None = None, blocking: bool = True
) -> list[Contestant]:
    """Return who takes part, each to do a small work first where `warm` is its source."""
    python, missing = interpreter(SQLMESH, "sqlmesh")
    modules = {OURS: "ours", LIMIT: "limit", USUAL: "gx_pandas", DBT: "dbt_duckdb"}
    several = [
        Contestant(name, f"benchmarks.contestants.{module}:product", {})
        for name, module in modules.items()
    ]
    sqlmesh = "benchmarks.contestants.sqlmesh_audits:product"
    several.append(Contestant(SQLMESH_AUDITS, sqlmesh, {"blocking": blocking}, python, missing))
    return [
        replace(
            one,
            arguments={**one.arguments, "source": str(source)},
            warm={**one.arguments, "source": str(warm)} if warm else None,
        )
        for one in several
    ]


def prove(bench: Bench, several: list[Contestant]) -> None:
    """Let every contestant find the planted flaws, all of them and nothing else."""
    measured = measure(bench, "flawed data", several, repeats=1, canonical=_verdicts)
    for one in (one for one in measured if one.samples):
        expected = {name.name: name.name not in BROKEN for name in EXPECTATIONS}
        found_by = {"planted": expected, one.contestant: one.samples[0].answer["passed"]}
        require_same("flawed data", found_by)


def _goals(bench: Bench, measured: list[Measured]) -> tuple[Goal, ...]:
    ours = found(measured, OURS)
    judged = bench.scale is Scale.FULL
    goals = [
        ratio(f"at 10M rows, at most 1.3 x the {LIMIT}", ours, found(measured, LIMIT), at_most=1.3)
    ]
    for other in measured:
        if other.contestant in {OURS, LIMIT}:
            continue
        goals.append(ratio(f"at 10M rows, faster than {other.contestant}", ours, other, at_most=1))
        text = f"at 10M rows, smaller in memory than {other.contestant}"
        memory = Goal(text, missing=other.missing)
        if not other.missing:
            memory = Goal(text, ours.peak_mb / other.peak_mb, at_most=1)
        goals.append(memory)
    return tuple(goal if judged else goal.not_judged() for goal in goals)


def _content_and_verdicts(answer: Any) -> Any:
    return content(answer["output"]), answer["passed"]


def _verdicts(answer: Any) -> Any:
    return answer["passed"]
