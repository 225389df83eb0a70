"""Setting rows aside: a step of the build, after the transform is done and before any check.

Nothing of the transform takes part: its process is dead, and the files that it left are split
here, in a session that may open them alone. A check whose condition cannot be told sets nothing
aside; then the audit says of it what is wrong, and its bound has no result that passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.limit import time_limit
from dataops_mesh.engine.session import seal
from dataops_mesh.engine.split import bind_files, split_port
from dataops_mesh.engine.write import describe_port
from dataops_mesh.errors import MeshError, TransformError
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.relation import Relation
from dataops_mesh.quality.rows import broken_rows
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.guards.classes import plain_of
from dataops_mesh.run.session import attempt_session
from dataops_mesh.spec.checks.aside import may_set_aside
from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.spec.names import WHY, quarantine_schema
from dataops_mesh.store import files
from dataops_mesh.store.described import Quarantine
from dataops_mesh.store.log import Release
from dataops_mesh.store.manifest import quarantine_folder, read_manifest
from dataops_mesh.store.store import Store
from dataops_mesh.transform.blame import blamed

if TYPE_CHECKING:
    import duckdb


def set_aside(attempt: Attempt) -> tuple[Quarantine, ...]:
    """Take the rows that break a rule out of the ports, where the contract says so.

    Returns:
        What was set aside, one for each port with such rules; none of a port where it could not
        be told which rows these are.

    Raises:
        TransformError: what the transform left cannot be read.
        RunError: rows were lost.
    """
    asked = [(port, _rules(attempt, port)) for port in attempt.product.outputs]
    asked = [(port, rules) for port, rules in asked if rules]
    if not asked:
        return ()
    with attempt_session(attempt) as connection:
        seal(connection, [attempt.folder])
        found = [_of_port(attempt, connection, port, rules) for port, rules in asked]
    return tuple(one for one in found if one is not None)


def bind_quarantines(connection: duckdb.DuckDBPyConnection, attempt: Attempt) -> None:
    """Make the rows that were set aside a view beside each port, which is bound already."""
    for one in attempt.quarantines:
        domain, port = one.address
        schema = sql.identifier(quarantine_schema(domain))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(
            f"CREATE VIEW {schema}.{sql.identifier(port)} AS {rows_of(one, attempt.folder)}"
        )


def rows_of(one: Quarantine, root: Path) -> str:
    """Return the query of the rows that were set aside, which may be none."""
    if one.files:
        return f"FROM {sql.scan('read_parquet', [root / file.path for file in one.files])}"
    address = f"{sql.identifier(one.address.domain)}.{sql.identifier(one.address.port)}"
    return f"SELECT *, NULL::VARCHAR[] AS {sql.identifier(WHY)} FROM {address} WHERE false"


def set_aside_now(
    store: Store, products: Iterable[Product], release: Release
) -> dict[Address, int]:
    """Return how many rows were set aside of what consumers read; only the evidence says it."""
    found: dict[Address, int] = {}
    for product in products:
        ports = (port.address for port in product.outputs if may_set_aside(port))
        for address in (one for one in ports if one in release.ports):
            found[address] = 0
            for ref in release.ports[address].refs:
                with suppress(MeshError):  # damaged: other commands say so
                    aside = read_manifest(store, ref).quarantines
                    found[address] += sum(one.rows for one in aside if one.address == address)
    return found


def _rules(attempt: Attempt, port: OutputPort) -> tuple[Check, ...]:
    return tuple(c for c in attempt.checks if c.sets_aside and c.port == port.address)


def _of_port(
    attempt: Attempt,
    connection: duckdb.DuckDBPyConnection,
    port: OutputPort,
    rules: tuple[Check, ...],
) -> Quarantine | None:
    folder, limit = attempt.folder, attempt.environment.settings.time_limit
    aside = folder / quarantine_folder(port.name)
    with blamed(attempt.product, port, plain_of(attempt)):
        bind_files(connection, folder, port.address)
    try:
        relation = Relation(port.address.domain, port.name, ())
        found = broken_rows(connection, relation, rules, time_limit_seconds=limit)
        conditions = [(one.check, one.condition, one.alias) for one in found]
        with time_limit(connection, limit):
            counts = split_port(connection, folder, port.address, conditions, aside)
    except (AuditError, TransformError, sql.engine_error()):
        files.remove_tree(aside)  # the audit meets the same, and says it
        return None
    told = Quarantine(port.address, rules=tuple(counts.items()))
    if not aside.exists():
        return told
    inside = port.address._replace(port=quarantine_folder(port.name))
    data = describe_port(connection, folder, inside)
    return replace(
        told,
        rows=data.rows,
        bytes=data.bytes,
        files=data.files,
        columns=data.columns,
        fingerprint=data.fingerprint,
    )
