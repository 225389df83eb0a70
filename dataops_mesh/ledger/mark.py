"""Whether anything on record has changed since somebody looked: told without reading it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.ledger.database import Ledger, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine, Select

Mark = tuple[object, ...]


def state_of(file: Path) -> Mark:
    """Return what changes whenever a file is written or replaced; nothing where there is none.

    An empty file is none: SQLite makes an empty log beside a file that is only read.
    """
    try:
        found = file.stat()
    except FileNotFoundError:
        return ()
    if not found.st_size:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def mark_of(url: str, products: Sequence[str]) -> Mark:
    """Return what changes whenever somebody else writes something about products into a ledger.

    Of SQLite that is the state of its files, of another database what the newest rows are. Who
    compares marks looks once more after a change: a clock that stands still for a moment, or a
    row that was begun before another and ends after it, is seen then.

    Args:
        url: of the ledger.
        products: their qualified names.

    Raises:
        StoreError: the database does not answer.
        OSError: nor does the disk.
    """
    from sqlalchemy import make_url

    found = make_url(url)
    if found.get_backend_name() == "sqlite" and found.database:
        file = Path(found.database).absolute()
        return state_of(file), state_of(Path(f"{file}-wal"))
    with transaction(Ledger(_engine(url, os.getpid()))) as connection:
        return tuple(connection.execute(_newest(products)).one())


def last_publications(ledger: Ledger, products: Sequence[str]) -> dict[str, tuple[datetime, ...]]:
    """Return when each product was published last: when it had been built, and when switched."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates, publications

    mine = publications.c.product.in_(sorted(products))
    last = select(publications.c.product, func.max(publications.c.publication).label("number"))
    last = last.where(mine, publications.c.kind.in_(("publication", "rollback")))
    newest = last.group_by(publications.c.product).subquery()
    query = (
        select(publications.c.product, publications.c.published, candidates.c.finished)
        .join(newest, publications.c.publication == newest.c.number)
        .outerjoin(candidates, candidates.c.candidate == publications.c.candidate)
        .where(mine)
    )
    with transaction(ledger) as connection:
        rows: Sequence[Any] = connection.execute(query).all()
    found: dict[str, set[datetime]] = {}
    for product, switched, built in rows:
        known = found.setdefault(product, set())
        known |= {datetime.fromisoformat(at) for at in (switched, built) if at}
    return {product: tuple(sorted(times)) for product, times in found.items()}


@lru_cache(maxsize=4)
def _engine(url: str, process: int) -> Engine:
    """Return an engine that keeps its one connection, of this process."""
    from sqlalchemy import create_engine

    del process  # a connection is not used by a process that was forked
    return create_engine(url, pool_size=1, pool_pre_ping=True)


def _newest(products: Sequence[str]) -> Select[tuple[object, ...]]:
    from sqlalchemy import func, select

    from dataops_mesh.ledger import schema

    names = sorted(products)
    found = []
    for table, column in (
        (schema.candidates, "finished"),
        (schema.runs, "ended"),
        (schema.audits, "at"),
        (schema.exports, "at"),
    ):
        for asked in (func.count(), func.max(table.c[column])):
            query = select(asked).select_from(table).where(table.c.product.in_(names))
            found.append(query.scalar_subquery())
    incidents = schema.incidents
    for asked in (func.count(), func.max(incidents.c.opened)):
        query = select(asked).select_from(incidents).where(incidents.c.closed.is_(None))
        found.append(query.where(incidents.c.product.in_(names)).scalar_subquery())
    numbered = (schema.operations, schema.declarations)
    found += [select(func.max(table.c.number)).scalar_subquery() for table in numbered]
    return select(*found)
