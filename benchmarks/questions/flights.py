"""How long does the whole example mesh take?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import found, measure, ratio
from benchmarks.model import OURS, Answer, Bench, Contestant, Scale

RUN, DAGSTER = f"{OURS}: mesh run", f"{OURS}: Dagster jobs in one process"
USUAL = "usual: Dagster project, default executor, GX in each step, a run for each month"
YEAR = "the same usual project with the year in one run"
WORK = (
    "The five domains of the example on the real flights, from an empty store, as whole processes "
    "with their starts. The usual project computes the same seven tables from the same SQL, Python "
    "and dbt files (rows and sum of hashes of every table are compared) and validates them with "
    "Great Expectations on pandas. Flights are monthly partitions, each in a run of its own, as "
    "ours has them; the last contestant takes the year in one run, which is less work: nothing of "
    "it can be built again by itself. Neither stores a result for each check, and expectations "
    "without a counterpart are left out, to their advantage."
)


def ask(bench: Bench) -> Answer:
    """Measure the three ways."""
    module = "benchmarks.contestants.flights"
    contestants = [
        Contestant(RUN, f"{module}:mesh_run"),
        Contestant(DAGSTER, f"{module}:in_process"),
        Contestant(USUAL, f"{module}:usual", {"by": "month"}),
        Contestant(YEAR, f"{module}:usual", {"by": "year"}),
    ]
    if bench.scale is Scale.TINY:
        contestants = contestants[:1]
    measured = measure(
        bench,
        "the flights of 2013",
        contestants,
        repeats=bench.choose(1, 1, 2),
        canonical=_contents,
    )
    goals = []
    if bench.scale is not Scale.TINY:
        text = "at least 5 x faster than the usual"
        goals = [ratio(text, found(measured, RUN), found(measured, USUAL), at_most=1 / 5)]
    return Answer(
        "flights", "The whole flights mesh", WORK, tuple(measured), tuple(goals), axis="seconds"
    )


def _contents(ports: Any) -> Any:
    """Return the rows and the sum of hashes of every table."""
    return {port: _content(where) for port, where in ports.items()}


def _content(where: str) -> list[Any]:
    import duckdb

    path, _, table = where.partition("::")
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        if table:
            con.execute(f"ATTACH '{path}' (READ_ONLY)")
        source = f"{Path(path).stem}.{table}" if table else f"'{path}'"
        described = con.execute(f"DESCRIBE FROM {source}").fetchall()
        columns = ", ".join(f'"{name}"' for name in sorted(str(row[0]) for row in described))
        query = f"SELECT count(*), sum(hash({columns})::HUGEINT)::VARCHAR FROM {source}"
        return list(con.execute(query).fetchall()[0])
