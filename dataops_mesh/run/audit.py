"""Auditing: which relation a check reads, and which of its columns a sample may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from dataops_mesh.quality import Relation, audit
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.partition import table_schema
from dataops_mesh.spec.checks.check import Check, CheckResult, Stage
from dataops_mesh.spec.checks.measures import ELSEWHERE
from dataops_mesh.spec.checks.withheld import safe_columns
from dataops_mesh.spec.model import Address, Product

if TYPE_CHECKING:
    import duckdb


def run_checks(
    attempt: Attempt,
    connection: duckdb.DuckDBPyConnection,
    stage: Stage,
    scopes: Sequence[bool] = (True, False),
) -> tuple[CheckResult, ...]:
    """Run the checks of one stage on the views of the connection; one result for each.

    dbt's own tests are not run here: dbt has run them; what is usual, the history tells.

    Args:
        attempt: whose checks.
        connection: has the relations as views.
        stage: incoming data, or the candidate.
        scopes: run the checks that read all partitions (true), those that do not (false).
    """
    wanted = [
        check
        for check in attempt.checks
        if check.stage is stage
        and check.table_wide in scopes
        and not isinstance(check.measure, ELSEWHERE)
    ]
    results: list[CheckResult] = []
    for (name, wide), group in groupby(sorted(wanted, key=_read), _read):
        relation = _relation(attempt.product, name, stage)
        if "." in name and (hidden := attempt.unnamed.get(Address.parse(name))):
            relation = replace(relation, unnamed=hidden)
        if wide:
            relation = replace(relation, schema=table_schema(str(relation.schema)))
        if not attempt.environment.settings.samples:
            relation = replace(relation, safe_columns=())
        results += audit(
            connection,
            relation,
            tuple(group),
            candidate=attempt.ref,
            time_limit_seconds=attempt.environment.settings.time_limit,
        )
    return tuple(results)


def _read(check: Check) -> tuple[str, bool]:
    """Return what the check reads: a relation, of a partitioned port the piece or the whole."""
    return check.relation, check.table_wide


def _relation(product: Product, name: str, stage: Stage) -> Relation:
    if stage is Stage.INPUT:
        address = Address.parse(name) if "." in name else None
        schema = address.domain if address else None
        return Relation(schema, address.port if address else name, ())
    port = next(port for port in product.outputs if str(port.address) == name)
    return Relation(port.address.domain, port.name, safe_columns(port.contract.columns))
