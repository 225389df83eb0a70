"""Compares the columns of dbt's models with what their ports promise, before anything is built.

A model is read as `plan/lineage/dbtlineage.py` folds it: with plain references put in. One with
other templates, and what DuckDB cannot bind, is left to the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataops_mesh.engine import sql
from dataops_mesh.errors import Problem
from dataops_mesh.plan.lineage.dbtlineage import dbt_queries
from dataops_mesh.spec.model import OutputPort, Product
from dataops_mesh.transform.dry.session import Known, declare, empty_session

_UNKNOWN_SEED = '"mesh_seed"'


def dbt_column_notes(
    product: Product, known: Known, manifest: Mapping[str, Any] | None
) -> tuple[Problem, ...]:
    """Return which columns a port promises and its model has not, or the other way.

    Args:
        product: whose ports; one that dbt builds.
        known: the columns of its inputs.
        manifest: dbt's; None where it cannot be read.
    """
    if manifest is None:
        return ()
    queries = dbt_queries([port.name for port in product.outputs], manifest)
    found: list[Problem] = []
    with empty_session() as con:
        for port in product.inputs:
            types = known(port)
            if types is None or not declare(con, port.name, types):
                return ()
        for output in product.outputs:
            _, query = queries.get(output.name, (frozenset(), ""))
            if not query or _UNKNOWN_SEED in query:
                continue
            try:
                rows = con.execute(f"DESCRIBE SELECT * FROM ({query})").fetchall()
            except sql.engine_error():
                continue
            found += _differing(output, [str(row[0]) for row in rows])
    return tuple(found)


def _differing(port: OutputPort, returned: list[str]) -> Iterator[Problem]:
    there = {name.lower() for name in returned}
    promised = {column.name.lower() for column in port.contract.columns}
    for column in port.contract.columns:
        if column.name.lower() not in there:
            what = f'{port.address}: column "{column.name}" is promised, and the model has it not'
            yield Problem(what, column.where, choices=tuple(sorted(returned)))
    for name in returned:
        if name.lower() not in promised:
            what = f'{port.address}: the model has a column "{name}", which is not declared'
            then = "declare it, or leave it out of the model: the run refuses it"
            yield Problem(what, port.contract.where, next=then)
