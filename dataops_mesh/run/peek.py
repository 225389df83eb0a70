"""An owner looks at a candidate that nobody else can read: classified columns are masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.session import seal, session
from dataops_mesh.errors import MeshError, Problem, StoreError
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.declaration import load_texts
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.registry.owners import require_ours
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.checks.withheld import is_about, safe_columns
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.names import WHY, quarantine_schema
from dataops_mesh.store.declarations import read_declaration
from dataops_mesh.store.described import PortData, Quarantine
from dataops_mesh.store.manifest import Manifest, folder
from dataops_mesh.store.removing.removal import removals_of

if TYPE_CHECKING:
    import duckdb

MASK = "***"


@contextmanager
def open_candidate(
    product: Product, manifest: Manifest, environment: Environment
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the ports of a candidate at their addresses, what was set aside, and nothing else.

    What is masked is masked before anybody can ask: the rows are copied, and the connection may
    not open the files any more.

    Args:
        product: as it is declared now; a column that it does not call public or internal is
            masked.
        manifest: of the candidate.
        environment: the store and the settings.

    Raises:
        OwnershipError: the product belongs to another repository.
        StoreError: there is no data, or the look cannot be put on record.
    """
    require_ours(product, environment)
    if gone := removals_of(environment.store, manifest):
        raise StoreError(Problem(str(gone[-1]), next=f"mesh show {manifest.candidate}"))
    if not any(port.files for port in manifest.ports):
        what = f"{manifest.candidate} has no data: it was refused before it was built, or failed"
        raise StoreError(Problem(what, next=f"mesh show {manifest.candidate}"))
    record_operation(environment, "look", [manifest.candidate], verdict=manifest.verdict)
    contracts = {port.address: port.contract for port in product.outputs}
    with session(
        environment.store,
        memory_limit=environment.settings.memory_limit,
        threads=environment.threads,
        now=datetime.now(UTC),
    ) as connection:
        for port in manifest.ports:
            contract = contracts.get(port.address)
            safe = safe_columns(contract.columns) if contract else ()
            _copy(connection, environment, manifest.candidate, port, frozenset(safe))
        for one in manifest.quarantines:
            contract = contracts.get(one.address)
            safe = safe_columns(contract.columns) if contract else ()
            known = frozenset(
                (*safe, WHY) if _may_say_why(environment, manifest, one, safe) else safe
            )
            _copy_aside(connection, environment, manifest, one, known)
        seal(connection, ())
        yield connection


def _may_say_why(
    environment: Environment, manifest: Manifest, one: Quarantine, safe: Sequence[str]
) -> bool:
    """Tell whether the rules that a row breaks are about columns alone that are not masked.

    Many rules about the bits of a value are that value. The candidate's own declaration says what
    its rules were; where nobody can tell, they are masked.
    """
    domain, _, name = manifest.product.partition(".")
    try:
        texts = read_declaration(environment.store, manifest.declaration)
        checks = checks_of(load_texts(texts, domain, name))
    except MeshError:
        return False
    rules = [check for check in checks if check.sets_aside and check.port == one.address]
    known = {check.name for check in rules}
    return known >= {rule for rule, _ in one.rules} and not any(is_about(c, safe) for c in rules)


def _copy_aside(
    connection: duckdb.DuckDBPyConnection,
    environment: Environment,
    manifest: Manifest,
    one: Quarantine,
    safe: frozenset[str],
) -> None:
    """Copy what was set aside; where nothing was, a table without rows says so."""
    if not one.files:
        columns = next(port.columns for port in manifest.ports if port.address == one.address)
        one = replace(one, columns=(*columns, (WHY, "VARCHAR[]")))
    place = one.address._replace(domain=quarantine_schema(one.address.domain))
    data = PortData(place, one.rows, one.bytes, one.files, one.columns, one.fingerprint)
    _copy(connection, environment, manifest.candidate, data, safe)


def _copy(
    connection: duckdb.DuckDBPyConnection,
    environment: Environment,
    ref: str,
    port: PortData,
    safe: frozenset[str],
) -> None:
    root = folder(environment.store, ref)
    schema, table = sql.identifier(port.address.domain), sql.identifier(port.address.port)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    if not port.files:
        columns = ", ".join(f"{sql.identifier(name)} {kind}" for name, kind in port.columns)
        connection.execute(f"CREATE TABLE {schema}.{table} ({columns})")
        return
    found = sql.scan("read_parquet", [root / file.path for file in port.files])
    columns = ", ".join(_column(name, safe) for name, _ in port.columns)
    try:
        connection.execute(f"CREATE TABLE {schema}.{table} AS SELECT {columns} FROM {found}")
    except sql.engine_error() as error:
        what = f"{ref} cannot be read: {sql.reason(error)}"
        raise StoreError(Problem(what, next="mesh store verify --all")) from None


def _column(name: str, safe: frozenset[str]) -> str:
    quoted = sql.identifier(name)
    if name in safe:
        return quoted
    return f"CASE WHEN {quoted} IS NOT NULL THEN {sql.literal(MASK)} END AS {quoted}"
