"""A store with a long history: what looking and publishing cost then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.contestants.ours import workspace

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.spec.model import Product

PRODUCTS = 50
START = datetime(2020, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ledger(source: str, publications: int, what: str, times: int) -> Callable[[], Any]:
    """Prepare a store with that many publications; the work does one thing several times.

    Args:
        source: the rows of the product.
        publications: of fifty products in turn, ours among them, each with ten results.
        what: `status`, `history` or `publish`.
        times: how often.
    """
    import dataops_mesh.quality.session  # noqa: F401 - Great Expectations, as in a warm process
    from dataops_mesh.ledger import status
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.run.record import open_record, product_history
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_mesh

    root = workspace(source)
    environment = open_environment(load_settings(root))
    (product,) = load_mesh(root).products
    run_product(product, environment, run_id="first")
    _write_history(environment, product, publications)

    def every() -> Any:
        with open_record(environment) as opened:
            return status(opened)

    does: Mapping[str, Callable[[], Any]] = {
        "status": every,
        "history": lambda: product_history(environment, product.qualified_name, 50),
        "publish": lambda: run_product(product, environment, run_id="bench"),
    }

    def work() -> Any:
        found = does[what]()
        seconds = []
        for _ in range(times):
            started = time.perf_counter()
            found = does[what]()
            seconds.append(time.perf_counter() - started)
        return {"seconds": median(seconds), "ok": bool(found)}

    return work


def _write_history(environment: Environment, product: Product, publications: int) -> None:
    """Put older publications on record, and number the current release after them."""
    from dataops_mesh.ledger import open_ledger
    from dataops_mesh.ledger.database import transaction
    from dataops_mesh.ledger.schema import candidates, metadata, results
    from dataops_mesh.ledger.schema import publications as switches
    from dataops_mesh.store import log
    from dataops_mesh.store.record import plain

    store = environment.store
    first = log.latest(store)
    opened = open_ledger(environment.ledger_url)
    with transaction(opened) as connection:
        built = dict(connection.execute(candidates.select()).mappings().one())
        switched = dict(connection.execute(switches.select()).mappings().one())
        checked = [dict(row) for row in connection.execute(results.select()).mappings()][:10]
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
        for begin in range(1, publications + 1, 10_000):
            rows = [_row(product, n) for n in range(begin, min(begin + 10_000, publications + 1))]
            connection.execute(candidates.insert(), [{**built, **row} for row in rows])
            connection.execute(switches.insert(), [{**switched, **row} for row in rows])
            found = [{**one, "candidate": row["candidate"]} for row in rows for one in checked]
            connection.execute(results.insert(), found)
    opened.close()
    ports = {
        address: replace(entry, publication=publications) for address, entry in first.ports.items()
    }
    last = replace(first, number=publications, ports=ports)
    if not log.append(store, last):
        raise RuntimeError("the release is there already")
    log.path_of(store, first.number).unlink()
    assert plain(log.latest(store))["number"] == publications  # noqa: S101 - else it measures nothing


def _row(product: Product, number: int) -> dict[str, Any]:
    at = (START + number * MINUTE).isoformat()
    name = product.qualified_name if number % PRODUCTS == 0 else f"other.p{number % PRODUCTS}"
    return {
        "candidate": f"{name.replace('.', '/')}/{number:08d}",
        "product": name,
        "publication": number,
        "address": name,
        "started": at,
        "finished": at,
        "published": at,
    }
