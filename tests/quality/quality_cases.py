"""Builds checks and relations, so that each test says only what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from dataops_mesh.errors import Location
from dataops_mesh.quality import Relation, audit
from dataops_mesh.spec.checks.check import Check, CheckResult, Stage
from dataops_mesh.spec.model import ZERO, Address, Severity, Threshold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dataops_mesh.spec.checks.measures import Measure

PORT = Address("weather", "hourly")


def check(
    measure: Measure,
    threshold: Threshold = ZERO,
    severity: Severity = Severity.ERROR,
    name: str = "",
) -> Check:
    """Return a check of the port."""
    return Check(
        name=name or type(measure).__name__.lower(),
        port=PORT,
        relation=str(PORT),
        measure=measure,
        threshold=threshold,
        severity=severity,
        stage=Stage.OUTPUT,
        where=Location("hourly.odcs.yaml", 1),
        fingerprint=f"print-{name}",
    )


def parquet(folder: Path, select: str) -> duckdb.DuckDBPyConnection:
    """Write the rows to Parquet and return a connection with the view `weather.hourly`."""
    connection = duckdb.connect()
    file = folder / "part-0.parquet"
    connection.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    connection.execute("CREATE SCHEMA weather")
    connection.execute(f"CREATE VIEW weather.hourly AS SELECT * FROM read_parquet('{file}')")
    return connection


def run(
    connection: duckdb.DuckDBPyConnection,
    *measures: Measure | Check,
    safe: Sequence[str] = (),
    **options: Any,
) -> tuple[CheckResult, ...]:
    """Audit the view; a bare measure stands for a check that it must be 0."""
    checks = [one if isinstance(one, Check) else check(one) for one in measures]
    relation = Relation(PORT.domain, PORT.port, tuple(safe))
    return audit(connection, relation, checks, candidate="c-1", **options)
