"""One partition in a run: its window in the session, the whole table beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.data import data_finder, data_scan
from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.inputs.late import late_checks
from dataops_mesh.spec.checks.aside import IN_PARTITION
from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.making import fingerprint
from dataops_mesh.spec.checks.measures import Query
from dataops_mesh.spec.model import ZERO, Address, OutputPort, Product, Severity
from dataops_mesh.spec.partition import (
    Partition,
    literal,
    partition_of,
    partitions_until,
    shown,
)
from dataops_mesh.store.described import PortData
from dataops_mesh.store.log import Entry, Part, Release, columns_digest
from dataops_mesh.store.switch import cut_otherwise

if TYPE_CHECKING:
    import duckdb

SMALLER = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"})
WIDER = frozenset({("FLOAT", "DOUBLE"), *((kind, "DOUBLE") for kind in SMALLER)})


def chosen(product: Product, key: str | None, now: datetime) -> Partition | None:
    """Return the partition to build; None for a product that is published whole.

    Raises:
        UnknownNameError: the product needs a partition, has none, or has not this one.
    """
    partitioning = product.partitioning
    if partitioning is None:
        if key is None:
            return None
        what = f'{product.qualified_name} is published whole and has no partition "{key}"'
        raise UnknownNameError(Problem(what, product.where))
    if key is None:
        keys = tuple(piece.key for piece in partitions_until(partitioning, now))
        raise UnknownNameError(
            Problem(
                f"{product.qualified_name} is built partition by partition: name one",
                product.where,
                choices=shown(keys),
                next=f"mesh run {product.qualified_name} --partition KEY",
            )
        )
    return partition_of(partitioning, key, now)


def partition_checks(product: Product, partition: Partition | None) -> tuple[Check, ...]:
    """Return the check of each port that every row belongs to the partition; and of late rows.

    Without a partition (Dagster declares checks before it knows one) the check is the same but
    for the window.
    """
    if product.partitioning is None:
        return ()
    found = tuple(_in_partition(port, partition) for port in product.outputs)
    return (*late_checks(product, partition), *found)


def define_partition(connection: duckdb.DuckDBPyConnection, partition: Partition | None) -> None:
    """Let SQL say `partition_key()`, `partition_start()` and `partition_end()`."""
    for statement in partition_macros(partition):
        connection.execute(statement)


def partition_macros(partition: Partition | None) -> tuple[str, ...]:
    """Return the SQL that lets SQL say which partition it builds."""
    if partition is None:
        return ()
    ends = (("start", partition.start), ("end", partition.end))
    values = [(name, literal(value) if value else "NULL::DATE") for name, value in ends]
    return (
        f"CREATE MACRO partition_key() AS {sql.literal(partition.key)}",
        *(f"CREATE MACRO partition_{name}() AS {value}" for name, value in values),
    )


def table_schema(domain: str) -> str:
    """Return the schema in which an audit finds whole tables beside the new partition."""
    return f"{domain}__table"


def bind_tables(
    connection: duckdb.DuckDBPyConnection, attempt: Attempt, ports: Iterable[PortData]
) -> list[Path]:
    """Make each partitioned port, as it would be with the candidate, a view; return its files."""
    if attempt.partition is None:
        return []
    find, bound = data_finder(attempt.environment.store, building=attempt.ref), list[Path]()
    for port in ports:
        entry = _with_candidate(attempt, port)
        found = find(port.address, entry)
        schema = table_schema(port.address.domain)
        _create_view(connection, schema, port.address.port, data_scan(entry, found))
        bound += found
    return bound


def bind_whole(connection: duckdb.DuckDBPyConnection, attempts: Iterable[Attempt]) -> None:
    """Make all partitions of a shadow, and nothing that is published, one view per port."""
    found: dict[Address, list[Path]] = {}
    for attempt in attempts:
        for port in attempt.ports:
            files = [attempt.folder / file.path for file in port.files]
            found.setdefault(port.address, []).extend(files)
    for address, files in found.items():
        relation = sql.scan("read_parquet", files, {"union_by_name": True})
        _create_view(connection, table_schema(address.domain), address.port, relation)


def _create_view(
    connection: duckdb.DuckDBPyConnection, schema: str, view: str, relation: str
) -> None:
    name = sql.identifier(schema)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    connection.execute(f"CREATE VIEW {name}.{sql.identifier(view)} AS FROM {relation}")


def schema_reasons(attempt: Attempt) -> tuple[str, ...]:
    """Return why the partition cannot stand beside those published: its columns differ.

    Added columns may be null where older partitions lack them; whatever else changes needs all
    partitions built again and published in one commit.
    """
    if attempt.partition is None:
        return ()
    reasons = []
    for output in attempt.product.outputs:
        port = next(port for port in attempt.ports if port.address == output.address)
        before = attempt.inputs.release.ports.get(port.address)
        mine = columns_digest(port.columns)
        for digest, _ in before.columns if before else ():
            if before is not None and digest != mine:
                reasons += _differences(attempt, output, port, before, digest)
    return tuple(reasons)


def cut_reasons(product: Product, release: Release) -> tuple[str, ...]:
    """Return why no single partition can be published: those that are were cut otherwise."""
    if product.partitioning is None:
        return ()
    cut, ports = product.partitioning.cut, [port.address for port in product.outputs]
    told = [(port, cut_otherwise(release.ports.get(port), cut)) for port in ports]
    then = f"build all partitions: mesh run {product.qualified_name} --rebuild"
    return tuple(f"{port} {what}; {then}" for port, what in told if what)


def _differences(
    attempt: Attempt, output: OutputPort, port: PortData, before: Entry, digest: str
) -> list[str]:
    """Return why a partition may not stand beside those with the columns of a digest."""
    key = attempt.partition.key if attempt.partition else ""
    columns = next(found for known, found in before.columns if known == digest)
    new_types, old_types = dict(port.columns), dict(columns)
    required = {c.name for c in output.contract.columns if c.required or c.key_position}
    changed = [name for name, kind in old_types.items() if not _joins(kind, new_types.get(name))]
    removed = [name for name in old_types if name not in new_types]
    added = [name for name in new_types if name not in old_types and name in required]
    told = [(changed, "has another type"), (removed, "is gone"), (added, "is new and required")]
    wrong = [(name, what) for names, what in told for name in names]
    if not wrong:
        return []
    others = (part.key for part in before.parts if part.columns == digest and part.key != key)
    other = next(others, None)
    return [
        f"{port.address}: column {name} {what}, and partition {other} is published with the "
        f"old columns; build all partitions: mesh run {attempt.product.qualified_name} --rebuild"
        for name, what in (wrong if other is not None else ())
    ]


def _joins(old: str, new: str | None) -> bool:
    """Tell whether an older partition is read in the new type without any value changing.

    Earlier versions of the library stored the integer type that the transform happened to return.
    """
    return new in {None, old} or (new == "BIGINT" and old in SMALLER) or (old, new) in WIDER


def _with_candidate(attempt: Attempt, port: PortData) -> Entry:
    """Return what the address would resolve to if the candidate were published."""
    key = attempt.partition.key if attempt.partition else ""
    names = tuple(file.path for file in port.files)
    columns = columns_digest(port.columns)
    mine = Part(key, attempt.ref, 0, port.fingerprint, port.rows, names, columns)
    before = attempt.inputs.release.ports.get(port.address)
    others = [part for part in (before.parts if before else ()) if part.key != key]
    return Entry(
        attempt.product.qualified_name,
        attempt.ref,
        0,
        port.fingerprint,
        port.rows,
        parts=(*others, mine),
    )


def _in_partition(port: OutputPort, partition: Partition | None) -> Check:
    outside, told = "false", ""
    if partition is not None:
        cut, outside = port.contract.partitioning, partition.outside
        told = f"of another partition than {partition.key}, or of none (a null)"
        if cut is not None and cut.cadence is not None and not cut.lookback:
            told += "; a delivery that brings rows late needs `lookback`"
    measure = Query(f"SELECT count(*) FROM {{object}} WHERE {outside}", told=told)
    relation = str(port.address)
    return Check(
        name=IN_PARTITION,
        port=port.address,
        relation=relation,
        measure=measure,
        threshold=ZERO,
        severity=Severity.ERROR,
        stage=Stage.OUTPUT,
        where=port.contract.where,
        fingerprint=fingerprint(measure, ZERO, Severity.ERROR, Stage.OUTPUT, relation),
        dimension="consistency",
        description="Every row belongs to the partition that was built.",
        sets_aside=bool(port.contract.partitioning and port.contract.partitioning.quarantine),
    )
