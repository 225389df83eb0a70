"""The mesh's pages in a mesh of any size with any history: what the server does for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from benchmarks.meshes import write_mesh

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.spec.model import Mesh, Product

RESULTS = 10
_AT_ONCE = 10_000
_REFUSED, _WRONG = 40, 20  # one in so many
_PRINT = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Big:
    """A mesh with a history."""

    environment: Environment
    mesh: Mesh
    publications: int


def pages(products: int, publications: int, times: int) -> Callable[[], Any]:
    """Prepare a mesh; the work asks for each kind of page several times.

    Args:
        products: in fifty domains at most.
        publications: of these in turn, ten results each, over half a year; one run in forty is
            refused.
        times: how often.
    """
    from dataops_mesh.web.app import app_of
    from dataops_mesh.web.catalogue import catalogue_of
    from dataops_mesh.web.serve import looker

    big = make(Path(mkdtemp()), products, publications)
    catalogue = catalogue_of(big.mesh, big.environment.settings)
    app = app_of("bench", looker(big.environment, lambda: catalogue, seconds=0))
    name = big.mesh.products[-1].qualified_name
    paths = (
        "/", "/wrong", "/happened", "/search?q=number", "/dataops",
        f"/domains/{name.partition('.')[0]}",
        f"/products/{name}", f"/publications/{publications - 1}", f"/api/products/{name}",
    )  # fmt: skip

    def work() -> Any:
        told: dict[str, Any] = {}
        for path in paths:
            get(app, path)  # what is imported and compiled once
            spent = []
            for _ in range(times):
                started = time.process_time()
                status, body = get(app, path)
                spent.append(time.process_time() - started)
                if status != HTTPStatus.OK:
                    raise RuntimeError(path, status)
            told[path] = {"ms": round(1000 * median(spent), 1), "kB": round(len(body) / 1000, 1)}
        return {"seconds": max(one["ms"] for one in told.values()) / 1000, "pages": told}

    return work


def get(app: Any, path: str) -> tuple[int, bytes]:
    """Ask an application for one page, as its server does."""
    plain, _, query = path.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": plain,
        "raw_path": plain.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"localhost")], "server": ("localhost", 80), "client": ("x", 1),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    body = b"".join(one.get("body", b"") for one in sent[1:])
    return sent[0]["status"], body


def make(root: Path, products: int, publications: int) -> Big:
    """Write declarations, a release and a ledger."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_mesh

    write_mesh(root, products)
    mesh, environment = load_mesh(root), open_environment(load_settings(root))
    _write_release(environment, mesh, publications)
    _write_history(environment, mesh, publications)
    return Big(environment, mesh, publications)


def _write_release(environment: Environment, mesh: Mesh, publications: int) -> None:
    from dataops_mesh.store.log import Release, append
    from dataops_mesh.store.tree.entry import Entry
    from dataops_mesh.store.tree.growth import published
    from dataops_mesh.store.tree.ports import Ports

    entries = {}
    for index, product in enumerate(mesh.products):
        number = _last(index, len(mesh.products), publications)
        address = product.outputs[0].address
        name = product.qualified_name
        entries[address] = Entry(name, _ref(product, number), number, _PRINT, 1000, keep=10)
    store = environment.store
    grown = published(Ports(store.root), entries, publications, "publication").ports
    append(store, Release(publications, "publication", datetime.now(UTC), ports=grown))


def _write_history(environment: Environment, mesh: Mesh, publications: int) -> None:
    from dataops_mesh.ledger import open_ledger
    from dataops_mesh.ledger.database import transaction
    from dataops_mesh.ledger.schema import candidates, incidents, results
    from dataops_mesh.ledger.schema import publications as switches

    ledger = open_ledger(environment.ledger_url)
    for begin in range(1, publications + 1, _AT_ONCE):
        rows = list(_rows(mesh, begin, min(begin + _AT_ONCE, publications + 1), publications))
        with transaction(ledger) as connection:
            connection.execute(candidates.insert(), [row["built"] for row in rows])
            connection.execute(results.insert(), [one for row in rows for one in row["results"]])
            connection.execute(switches.insert(), [row["switch"] for row in rows if row["switch"]])
    now = datetime.now(UTC).isoformat()
    wrong = [
        {"incident": f"{n:012x}", "product": one.qualified_name, "kind": "escaped", "subject": "",
         "why": "40 rows of c0 are outside [0, 100]; the contract says mustBe 0", "run_id": "",
         "publication": _last(n, len(mesh.products), publications), "opened": now, "closed": None}
        for n, one in enumerate(mesh.products) if n % _WRONG == 0
    ]  # fmt: skip
    with transaction(ledger) as connection:
        connection.execute(incidents.insert(), wrong)
    ledger.close()


def _rows(mesh: Mesh, begin: int, end: int, publications: int) -> Iterator[dict[str, Any]]:
    from dataops_mesh.spec.checks.check import checks_of

    products = mesh.products
    start = datetime.now(UTC) - timedelta(days=180)
    step = timedelta(days=180) / (publications + 1)
    for number in range(begin, end):
        product = products[number % len(products)]
        ref, at = _ref(product, number), (start + number * step).isoformat()
        last = number > publications - len(products)
        refused = number % _REFUSED == 0 and not last
        built = {
            "candidate": ref, "product": product.qualified_name, "product_version": "1.0.0",
            "verdict": "refuse" if refused else "publish", "rows": 1000, "bytes": 40_000,
            "reasons": '["40 rows of c0 are outside [0, 100]; the contract says mustBe 0"]'
            if refused else "[]",
            "seconds": 1.5, "checks_declared": RESULTS, "coverage": 1.0, "code_version": "c",
            "transform_fingerprint": "t", "git_commit": "", "base": number - 1, "run_id": "r",
            "person": "ana", "started": at, "finished": at, "now": at,
        }  # fmt: skip
        told = [
            {"candidate": ref, "port": str(one.port), "check": one.name, "fingerprint": "f",
             "outcome": "passed", "severity": one.severity.value, "observed": number % 7,
             "rows": 1000, "reason": "there are 0 rows", "seconds": 0.01}
            for one in checks_of(product)[:RESULTS]
        ]  # fmt: skip
        switch = {
            "publication": number, "address": str(product.outputs[0].address),
            "product": product.qualified_name, "candidate": ref, "kind": "publication",
            "rows": 1000, "fingerprint": _PRINT, "published": at, "run_id": "r", "person": "ana",
            "reason": "",
        }  # fmt: skip
        yield {"built": built, "results": told, "switch": None if refused else switch}


def _last(index: int, products: int, publications: int) -> int:
    """Return the newest publication of a product."""
    return publications - (publications - index) % products


def _ref(product: Product, number: int) -> str:
    return f"{product.domain}/{product.name}/20260101T000000Z-{number:08x}"
