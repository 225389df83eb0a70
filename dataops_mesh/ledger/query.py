"""Questions to the ledger."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, lacks, transaction
from dataops_mesh.ledger.runs import RunEnd, ends_of

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a product's history.

    Args:
        what: `published`, `refused`, `error`, `rollback`, `hold`, `lift`, `withdrawal`, `passed`
            for a candidate that the gate let through and that was not published, or, of a run
            without a candidate, `cancelled` or `failed`.
        candidate: its ref; empty where there is none.
        partition: of a run without a candidate, a hold and a withdrawal; a candidate knows its own.
    """

    at: datetime
    what: str
    candidate: str
    publication: int | None
    person: str
    run_id: str
    reasons: tuple[str, ...]
    rows: int
    seconds: float | None
    partition: str = ""


@dataclass(frozen=True, slots=True)
class ProductStatus:
    """What consumers of a product read, and how its last run ended."""

    product: str
    publication: int | None
    candidate: str | None
    published_at: datetime | None
    rows: int | None
    last_verdict: str | None
    last_finished: datetime | None
    last_reasons: tuple[str, ...]


_Switch = tuple[int, str, str, int]  # publication, candidate, when, rows
_Run = tuple[str, str, str]  # verdict, when it ended, reasons in JSON
_VERDICTS = {"refuse": "refused", "error": "error", "publish": "passed"}


def last_release(ledger: Ledger) -> int:
    """Return the number of the newest release on record; 0 if there is none."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import decisions, publications

    columns = (publications.c.publication, decisions.c.release)
    with transaction(ledger) as connection:
        return max(connection.execute(select(func.max(c))).scalar() or 0 for c in columns)


def known_candidates(ledger: Ledger) -> frozenset[str]:
    """Return the refs of all candidates on record."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates

    with transaction(ledger) as connection:
        return frozenset(connection.execute(select(candidates.c.candidate)).scalars())


def results_of(ledger: Ledger, candidate: str) -> tuple[dict[str, Any], ...]:
    """Return the check results of one candidate, by port and check."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import results

    query = (
        select(results)
        .where(results.c.candidate == candidate)
        .order_by(results.c.port, results.c.check)
    )
    with transaction(ledger) as connection:
        return tuple(dict(row) for row in connection.execute(query).mappings())


def history(ledger: Ledger, product: str, limit: int = 50) -> tuple[Event, ...]:
    """Return what happened to a product, newest first: publications, refusals, rollbacks, holds.

    Args:
        ledger: the ledger.
        product: the qualified name, `domain.product`.
        limit: how many lines.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, decisions, publications

    decided = select(decisions).where(
        decisions.c.product == product, decisions.c.kind.in_(("hold", "lift", "withdrawal"))
    )
    decided = decided.order_by(decisions.c.release.desc()).limit(2 * limit)
    built = select(candidates).where(candidates.c.product == product)
    built = built.order_by(candidates.c.finished.desc()).limit(limit)
    numbers = select(publications.c.publication).where(publications.c.product == product)
    numbers = numbers.distinct().order_by(publications.c.publication.desc()).limit(limit)
    switched = select(publications).where(
        publications.c.product == product,
        publications.c.publication.in_(numbers.scalar_subquery()),
    )
    with transaction(ledger) as connection:
        rows = list(connection.execute(built).mappings())
        old = lacks(ledger, connection, "attempts")
        ends = [] if old else ends_of(connection, product, limit)
        switches = _added_up(connection.execute(switched).mappings())
        said = list(connection.execute(decided).mappings())
    first = {item["candidate"]: item for item in switches if item["kind"] == "publication"}
    events = [_built(row, first.get(row["candidate"])) for row in rows]
    keys = {row["release"]: row["partition"] for row in said}
    events += [_switched(row, keys) for row in switches if row["kind"] != "publication"]
    events += [_ended(end) for end in ends]
    events += [_decided(row) for row in said if row["kind"] != "withdrawal"]
    return tuple(sorted(events, key=_order, reverse=True)[:limit])


def status(ledger: Ledger, asked: Collection[str] | None = None) -> tuple[ProductStatus, ...]:
    """Return one line for each product that ever ran, by name.

    It looks up the newest of each product and reads nothing older, however long the history is.

    Args:
        ledger: the ledger.
        asked: the products that are asked about; all if None.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, publications, runs

    switch, end, stop = publications.c, candidates.c, runs.c
    last_switch = newest(switch.product, switch.publication, asked)
    switched = select(
        switch.product, switch.publication, switch.candidate, switch.published, switch.rows
    ).join(
        last_switch,
        (switch.product == last_switch.c.product) & (switch.publication == last_switch.c.newest),
    )
    last = newest(end.product, end.finished, asked)
    built = select(end.product, end.verdict, end.finished, end.reasons).join(
        last, (end.product == last.c.product) & (end.finished == last.c.newest)
    )
    newest_end = newest(stop.product, stop.ended, asked)
    stopped = select(stop.product, stop.outcome, stop.ended, stop.why).join(
        newest_end, (stop.product == newest_end.c.product) & (stop.ended == newest_end.c.newest)
    )
    with transaction(ledger) as connection:
        published: dict[str, _Switch] = {}
        for product, number, ref, at, rows in connection.execute(switched).tuples():
            before = published[product][-1] if product in published else 0
            published[product] = number, ref, at, before + rows
        ended_by = connection.execute(built).tuples()
        last_run: dict[str, _Run] = {product: (how, at, why) for product, how, at, why in ended_by}
        old = lacks(ledger, connection, "attempts")
        for product, how, at, why in [] if old else connection.execute(stopped).tuples():
            if product not in last_run or last_run[product][1] < at:
                last_run[product] = how, at, json.dumps([why])
    names = sorted({*published, *last_run})
    return tuple(_status(name, published.get(name), last_run.get(name)) for name in names)


def newest(product: Any, order: Any, asked: Collection[str] | None = None) -> Any:
    """Return a query for each product's greatest value, which steps through the index.

    `GROUP BY` would read all of the index.

    Args:
        product: the column of the product's name.
        order: the column whose greatest value is meant; there is an index on both.
        asked: the products that are asked about; all if None.
    """
    from sqlalchemy import func, select

    if asked is not None:
        few = select(product.label("product"), func.max(order).label("newest"))
        return few.where(product.in_(sorted(asked))).group_by(product).subquery()

    names = select(func.min(product).label("product")).cte("names", recursive=True)
    following = select(func.min(product)).where(product > names.c.product).scalar_subquery()
    names = names.union_all(select(following).where(names.c.product.is_not(None)))
    greatest = select(func.max(order)).where(product == names.c.product).scalar_subquery()
    found = select(names.c.product, greatest.label("newest"))
    return found.where(names.c.product.is_not(None)).subquery()


def portions(values: Collection[Any]) -> Iterator[list[Any]]:
    """Yield the values in as many lists as a database takes in one statement."""
    ordered = sorted(values)
    for begin in range(0, len(ordered), _AT_ONCE):
        yield ordered[begin : begin + _AT_ONCE]


def _added_up(rows: Any) -> list[dict[str, Any]]:
    """Return one row for each publication, with the rows of its ports added up."""
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        known = found.setdefault(row["publication"], {**row, "rows": 0})
        known["rows"] += row["rows"]
    return list(found.values())


def _built(row: Any, publication: Any) -> Event:
    return Event(
        datetime.fromisoformat(row["finished"]),
        "published" if publication else _VERDICTS.get(row["verdict"], row["verdict"]),
        row["candidate"],
        publication["publication"] if publication else None,
        row["person"],
        row["run_id"],
        tuple(json.loads(row["reasons"])),
        row["rows"],
        row["seconds"],
    )


def _switched(row: Any, keys: Mapping[int, str]) -> Event:
    return Event(
        datetime.fromisoformat(row["published"]),
        row["kind"],
        row["candidate"],
        row["publication"],
        row["person"],
        row["run_id"],
        (row["reason"],) if row["reason"] else (),
        row["rows"],
        None,
        keys.get(row["publication"], ""),
    )


def _ended(end: RunEnd) -> Event:
    return Event(
        end.ended,
        end.outcome,
        "",
        end.publication,
        end.person,
        end.run_id,
        (end.why,),
        0,
        (end.ended - end.started).total_seconds(),
        end.partition,
    )


def _decided(row: Any) -> Event:
    return Event(
        datetime.fromisoformat(row["at"]),
        row["kind"],
        "",
        row["release"],
        row["person"],
        row["run_id"],
        (row["reason"],) if row["reason"] else (),
        0,
        None,
        row["partition"],
    )


def _order(event: Event) -> tuple[datetime, int]:
    return event.at, event.publication or 0


def _status(name: str, switch: _Switch | None, run: _Run | None) -> ProductStatus:
    publication, candidate, published, rows = switch or (None, None, None, None)
    verdict, finished, reasons = run or (None, None, "[]")
    return ProductStatus(
        name,
        publication,
        candidate,
        datetime.fromisoformat(published) if published else None,
        rows,
        verdict,
        datetime.fromisoformat(finished) if finished else None,
        tuple(json.loads(reasons)),
    )
