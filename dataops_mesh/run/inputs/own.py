"""`self`: what a product published last, as an input of its own next build.

It is what the new publication will take the place of: the port, or of a partitioned product the
partition. It comes from the release that the run pinned, so refusals, rollbacks, holds and
withdrawals need no word here. Where nothing was published there is a relation without rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dataops_mesh.engine import sql
from dataops_mesh.engine.convert import spelled
from dataops_mesh.engine.data import data_finder
from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Contract, InputPort, OutputPort, Product
from dataops_mesh.spec.types.shape import Shape, is_said, matches, read_shape
from dataops_mesh.spec.types.stored import stored, wanted_types
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.forms import MASKED
from dataops_mesh.store.log import Entry, Release
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.store import Store

FULL = "--full"


def pin_own(product: Product, release: Release, partition: str, *, full: bool) -> list[InputRead]:
    """Return what each input port `self` reads: nothing on a first run, and nothing if `full`."""
    return [_read(port, None if full else _found(port, release, partition)) for port in product.own]


def own_views(  # noqa: PLR0913 - what was pinned, and who reads it
    store: Store, product: Product, release: Release, reads: tuple[InputRead, ...], partition: str,
    *, listed: bool = True,
) -> tuple[tuple[str, ...], tuple[Path, ...]]:  # fmt: skip
    """Return the SQL that creates the views of `self`, and the files behind them.

    Args:
        store: the store.
        product: whose.
        release: what the run pinned.
        reads: what was pinned.
        partition: the partition that is built; empty for a whole product.
        listed: whoever reads the views may list the folders that we may list.
    """
    read = {one.name: one for one in reads}
    statements, bound = list[str](), list[Path]()
    find = data_finder(store)
    for port in product.own:
        one, contract = read[port.name], _output(product, port).contract
        there: Mapping[str, str] = {}
        relation = "(SELECT 1) WHERE false"
        entry = _found(port, release, partition)
        if one.candidate is not None and one.address is not None and entry is not None:
            data = read_manifest(store, one.candidate).port(one.address)
            files = find(one.address, entry)
            bound += files
            there = dict(data.columns) if data else {}
            relation = sql.scan("read_parquet", files, listed=listed)
        name = [sql.identifier(part) for part in port.name.split(".")]
        if len(name) > 1:
            statements.append(f"CREATE SCHEMA IF NOT EXISTS {name[0]}")
        columns = ", ".join(_columns(contract, there))
        statements.append(f"CREATE VIEW {'.'.join(name)} AS SELECT {columns} FROM {relation}")
    return tuple(statements), tuple(bound)


def own_reasons(
    store: Store, product: Product, release: Release, partition: str, *, full: bool
) -> tuple[str, ...]:
    """Return why what was published last cannot be read by today's contracts, for a run."""
    found = () if full else own_problems(store, product, release, partition)
    return tuple(f"{one.where}: {one.what}; {one.next}" for one in found)


def own_problems(
    store: Store, product: Product, release: Release, partition: str | None = None
) -> tuple[Problem, ...]:
    """Return why what was published last cannot be read by today's contracts.

    An added column is null there. Whatever else differs is for a person to decide: the run that
    leaves it out builds from nothing.

    Args:
        store: the store.
        product: whose.
        release: what is published.
        partition: the one that is built; None to look at all of them.
    """
    problems = list[Problem]()
    then = f"build it without `self`: mesh run {product.qualified_name} {FULL}"
    for port in product.own:
        output = _output(product, port)
        entry = release.ports.get(output.address)
        if entry is None:
            continue
        if entry.parts and product.partitioning is None:
            what = f"{output.address} is published in partitions, and is not cut any more"
            problems.append(Problem(what, output.contract.where, next=then))
            continue
        there = dict[str, str]()
        for columns in _published_columns(store, port, release, partition):
            there |= columns
        told = _differences(output, there)
        problems += [Problem(one, output.contract.where, next=then) for one in told]
    return tuple(problems)


def _published_columns(
    store: Store, port: InputPort, release: Release, partition: str | None
) -> list[dict[str, str]]:
    entry = release.ports.get(port.address) if port.address else None
    if entry is not None and entry.parts and partition is None:
        return [dict(columns) for _, columns in entry.columns]
    found = _found(port, release, partition or "")
    if found is None or port.address is None:
        return []
    data = read_manifest(store, found.candidate).port(port.address)
    return [dict(data.columns)] if data else []


def _differences(output: OutputPort, there: Mapping[str, str]) -> list[str]:
    """Return what of the columns that were published does not fit the contract any more."""
    wanted = wanted_types(output.contract)
    found = []
    for name, kind in there.items():
        if name not in wanted:
            found.append(f"{output.address} was published with a column {name}, which is gone")
        elif not _same(kind, wanted[name]):
            now = spelled(stored(wanted[name]))
            found.append(f"column {name} of {output.address} was published as {kind}, not {now}")
    return found


def _same(kind: str, wanted: Shape) -> bool:
    found = read_shape(kind)
    return found is not None and matches(found, stored(wanted))


def _columns(contract: Contract, there: Mapping[str, str]) -> list[str]:
    """Return what is selected: the columns of the contract, null where they are new."""
    found = []
    for name, shape in wanted_types(contract).items():
        column = sql.identifier(name)
        empty = f"CAST(NULL AS {spelled(stored(shape))})" if is_said(shape) else "NULL"
        found.append(column if name in there else f"{empty} AS {column}")
    return found


def _found(port: InputPort, release: Release, partition: str) -> Entry | None:
    """Return what is there: the whole port, or one partition as if it were all of it."""
    entry = release.ports.get(port.address) if port.address else None
    if entry is None or not partition:
        return entry if entry is None or not entry.parts else None
    part = entry.part(partition)
    if part is None:
        return None
    return replace(
        entry,
        candidate=part.candidate,
        publication=part.publication,
        fingerprint=part.fingerprint,
        rows=part.rows,
        parts=(part,),
        forms=part.forms,
    )


def _read(port: InputPort, entry: Entry | None) -> InputRead:
    if entry is None:
        return InputRead(port.name, port.address)
    content = entry.publication, entry.candidate, entry.form(MASKED)
    return InputRead(port.name, port.address, *content)


def _output(product: Product, port: InputPort) -> OutputPort:
    return next(one for one in product.outputs if one.address == port.address)
