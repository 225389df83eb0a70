"""Binds SQL transforms against what is declared: names and types that `mesh check` can know.

In an empty session, so that nothing is read: a port of the mesh is an empty relation with the
columns of its contract. A product that reads a source, or a port declared elsewhere, is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Address, Contract, Mesh, OutputPort, Product, TransformKind
from dataops_mesh.spec.stored import stored, wanted_types
from dataops_mesh.transform.place import place
from dataops_mesh.transform.sql import sql_queries

if TYPE_CHECKING:
    import duckdb

_CLOCK = (
    "CREATE MACRO mesh_now() AS TIMESTAMPTZ '2026-01-01 00:00:00+00'",
    "CREATE MACRO partition_key() AS '2026-01-01'",
    "CREATE MACRO partition_start() AS DATE '2026-01-01'",
    "CREATE MACRO partition_end() AS DATE '2026-01-02'",
)


def bound_problems(product: Product, mesh: Mesh) -> tuple[Problem, ...]:
    """Return what DuckDB says of the product's SQL before any row is read."""
    if product.transform.kind is not TransformKind.SQL:
        return ()
    known = {port.address: port.contract for other in mesh.products for port in other.outputs}
    read = [port.address for port in product.inputs if port.address is not None]
    if len(read) < len(product.inputs) or not known.keys() >= set(read):
        return ()
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        for statement in ("SET TimeZone = 'UTC'", "SET enable_external_access = false", *_CLOCK):
            con.execute(statement)
        if not all(_declare(con, address, known[address]) for address in read):
            return ()
        queries = sql_queries(product)
        files = dict(zip(product.transform.ports, product.transform.files, strict=True))
        found: list[Problem] = []
        for port in product.outputs:
            try:
                described = con.execute(f"DESCRIBE SELECT * FROM ({queries[port.name]})").fetchall()
            except sql.engine_error() as error:
                found.append(Problem(sql.reason(error), place(product, files[port.name])))
                continue
            found += _columns(product, port, {str(row[0]) for row in described})
    return tuple(found)


def _declare(con: duckdb.DuckDBPyConnection, address: Address, contract: Contract) -> bool:
    """Make a port an empty table; tell whether its contract says all of its types."""
    columns = []
    for name, shape in wanted_types(contract).items():
        kind = str(stored(shape))
        if any(word in kind for word in ("ANY", "STRUCT", "MAP", "|")):
            return False
        columns.append(f"{sql.identifier(name)} {kind}")
    schema, table = sql.identifier(address.domain), sql.identifier(address.port)
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    con.execute(f"CREATE TABLE IF NOT EXISTS {schema}.{table} ({', '.join(columns)})")
    return True


def _columns(product: Product, port: OutputPort, found: set[str]) -> list[Problem]:
    """Compare what the SELECT returns with what the contract promises."""
    declared = {column.name for column in port.contract.columns}
    files = dict(zip(product.transform.ports, product.transform.files, strict=True))
    where = place(product, files[port.name])
    told = [(declared - found, "is promised and not returned")]
    told += [(found - declared, "is not declared")]
    return [
        Problem(f'{port.address}: column "{name}" {what}', where, choices=tuple(sorted(declared)))
        for names, what in told
        for name in sorted(names)
    ]
