"""What changed from one publication of a product to the next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataops_mesh.ledger.database import Ledger, transaction
from dataops_mesh.spec.checks.aside import IN_PARTITION

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SHORT = 8
_BEFORE = 400  # a year of daily partitions
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One difference to the publication before (of the same partition).

    Args:
        kind: `first`, `back`, `rows`, `columns`, `version`, `checks`, `transform`, `code`, `inputs`
            or `content`.
        what: in words.
    """

    kind: str
    what: str


@dataclass(slots=True)
class _Facts:
    """What is on record about one candidate."""

    row: Mapping[str, Any]
    partition: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    reads: dict[str, str] = field(default_factory=dict)


def changes(ledger: Ledger, product: str, numbers: Iterable[int]) -> dict[int, tuple[Change, ...]]:
    """Return what each of these publications of a product changed.

    Args:
        ledger: the ledger.
        product: the qualified name, `domain.product`.
        numbers: of the publications.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import publications

    wanted = frozenset(numbers)
    query = (
        select(publications.c.publication, publications.c.candidate)
        .where(publications.c.product == product)
        .order_by(publications.c.publication)
        .distinct()
    )
    found: dict[int, tuple[Change, ...]] = {}
    with transaction(ledger) as connection:
        before: dict[str, _Facts] = {}
        newest: _Facts | None = None
        switched = {row.publication: row.candidate for row in connection.execute(query)}
        known = _facts(connection, _needed(switched, wanted))
        begun: dict[str, int] = {}
        for number, ref in switched.items():
            facts = known.get(ref)
            if facts is None:
                continue
            # All partitions that a run rebuilt were published at once, by the name of one of them.
            first = begun.setdefault(facts.row["run_id"], number)
            same = before.get(facts.partition)
            if number in wanted:
                back = (Change("back", f"back to publication {first}"),) if first < number else ()
                known_before = not back or same is not None
                found[number] = back + (_compare(same, newest, facts) if known_before else ())
            before[facts.partition] = newest = facts
    return found


def switches_of(ledger: Ledger, number: int) -> tuple[Mapping[str, Any], ...]:
    """Return what is on record of one release: a row for each address that it switched."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import publications

    query = select(publications).where(publications.c.publication == number)
    with transaction(ledger) as connection:
        return tuple(dict(row) for row in connection.execute(query).mappings())


def pieces_of(ledger: Ledger, number: int) -> tuple[Mapping[str, Any], ...]:
    """Return the same with a row for each partition that it switched."""
    from sqlalchemy import select

    from dataops_mesh.ledger.switched import switched

    table = switched()
    query = select(table).where(table.c.publication == number)
    query = query.order_by(table.c.address, table.c.partition)
    with transaction(ledger) as connection:
        return tuple(dict(row) for row in connection.execute(query).mappings())


def _needed(switched: Mapping[int, str], wanted: frozenset[int]) -> list[str]:
    """Return the candidates to look at: of a long history, not what came long before."""
    first = min(wanted, default=0)
    older = [number for number in switched if number < first][-_BEFORE:]
    return [ref for number, ref in switched.items() if number >= first or number in older]


def _facts(connection: Connection, refs: list[str]) -> dict[str, _Facts]:
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, ports, reads, results

    found: dict[str, _Facts] = {}
    for start in range(0, len(refs), _AT_ONCE):
        some = refs[start : start + _AT_ONCE]
        for row in connection.execute(
            select(candidates).where(candidates.c.candidate.in_(some))
        ).mappings():
            found[row["candidate"]] = _Facts(dict(row))
        for row in connection.execute(select(ports).where(ports.c.candidate.in_(some))).mappings():
            facts, port = found[row["candidate"]], row["address"]
            facts.partition = row["partition"]
            facts.rows[port] = row["rows"]
            facts.contents[port] = row["fingerprint"]
            facts.columns[port] = dict(json.loads(row["columns"]))
        for row in connection.execute(
            select(
                results.c.candidate, results.c.port, results.c.check, results.c.fingerprint
            ).where(results.c.candidate.in_(some))
        ).mappings():
            name = f"{row['port']} {row['check']}"
            found[row["candidate"]].checks[name] = row["fingerprint"]
        for row in connection.execute(select(reads).where(reads.c.candidate.in_(some))).mappings():
            known = row["publication"]
            seen = f"publication {known}" if known else row["fingerprint"]
            found[row["candidate"]].reads[row["name"]] = seen
    return found


def _compare(same: _Facts | None, newest: _Facts | None, now: _Facts) -> tuple[Change, ...]:
    """Compare with the same partition's last publication, or the product's where it has none."""
    if newest is None:
        return (Change("first", "the first publication"),)
    found: list[Change] = []
    if same is None:
        found.append(Change("first", f"the first publication of partition {now.partition}"))
    elif now.partition and now.row["candidate"] != same.row["candidate"]:
        found.append(Change("rows", f"partition {now.partition} again"))
    then = same or newest
    if same is not None:
        found += _rows(same, now)
    found += _columns(then, now)
    found += _named("version", "product_version", then, now)
    found += _checks(then, now)
    found += _named("transform", "transform_fingerprint", then, now)
    found += _named("code", "git_commit", then, now)
    if same is not None:
        found += _reads(same, now)
        if same.contents and same.contents == now.contents:
            found.append(Change("content", "the same content"))
    return tuple(found)


def _rows(then: _Facts, now: _Facts) -> Iterable[Change]:
    for port, count in now.rows.items():
        old = then.rows.get(port)
        if old is not None and old != count:
            yield Change("rows", f"{port}: {old:,} -> {count:,} rows ({count - old:+,})")


def _columns(then: _Facts, now: _Facts) -> Iterable[Change]:
    for port in sorted({*then.columns, *now.columns} if then.columns and now.columns else ()):
        old, new = then.columns.get(port, {}), now.columns.get(port, {})
        told = [f"+{name} {new[name]}" for name in new if name not in old]
        told += [f"-{name}" for name in old if name not in new]
        told += [f"{n} {old[n]} -> {new[n]}" for n in new if n in old and old[n] != new[n]]
        if told:
            yield Change("columns", f"{port}: {', '.join(told)}")


def _checks(then: _Facts, now: _Facts) -> Iterable[Change]:
    told = [f"+{name}" for name in sorted({*now.checks} - {*then.checks})]
    told += [f"-{name}" for name in sorted({*then.checks} - {*now.checks})]
    both = sorted({*then.checks} & {*now.checks})
    if then.partition != now.partition:  # its rule names the partition
        both = [name for name in both if not name.endswith(f" {IN_PARTITION}")]
    told += [f"{name} changed" for name in both if then.checks[name] != now.checks[name]]
    if told:
        yield Change("checks", f"checks: {', '.join(told)}")


def _named(kind: str, key: str, then: _Facts, now: _Facts) -> Iterable[Change]:
    old, new = then.row[key], now.row[key]
    if old != new:
        cut = None if kind == "version" else _SHORT
        yield Change(kind, f"{kind} {old[:cut] or 'unknown'} -> {new[:cut] or 'unknown'}")


def _reads(then: _Facts, now: _Facts) -> Iterable[Change]:
    for name in sorted({*then.reads, *now.reads}):
        old, new = then.reads.get(name), now.reads.get(name)
        if old == new:
            continue
        if old is None or new is None:
            yield Change("inputs", f"input {'+' if old is None else '-'}{name}")
        elif new.startswith("publication ") and old.startswith("publication "):
            yield Change("inputs", f"{name}: {old} -> {new.removeprefix('publication ')}")
        else:
            yield Change("inputs", f"{name}: other content")
