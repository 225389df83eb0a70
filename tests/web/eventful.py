"""A small mesh in which everything has happened that a page can tell of, and a browser for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    mesh,
    product,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.run.word.withdraw import taking
from dataops_mesh.run.word.withdraw import withdraw_product as take_away
from dataops_mesh.sandbox.asked import asked_by
from dataops_mesh.settings import Settings
from dataops_mesh.store.line.opening import open_sandbox
from dataops_mesh.watch.trouble import look
from dataops_mesh.web.app import app_of
from dataops_mesh.web.catalogue import catalogue_of
from dataops_mesh.web.serve import looker

PERSON = "Zaphod Beeblebrox"  # a value of a confidential column
PHONE = "555987654321"  # published as its first character
COUNTED = "4242"  # rows that break a rule about it: a number that nobody is shown
HOSTILE = "<script>alert(1)</script>"
ID = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
CLASSIFIED = (
    "{name: person, logicalType: string, classification: confidential, description: 'WHO', "
    "quality: [{id: known, metric: nullValues, mustBe: 0, severity: warning}]}"
)
WAIVER = "waivers:\n  - {{rule: row_count, who: ana, why: it is small, until: {}}}\n"
MASKED = (
    "{name: phone, logicalType: string, classification: restricted, customProperties: ["
    "{property: masking, vendor: dataops_mesh, value: {method: partial, keepFirst: 1}}]}"
)
DAILY = "slaProperties:\n  - {property: frequency, value: 1, unit: d}\n"
TEAM = "team: {name: sales, members: [{username: ana@mesh.example, role: owner}]}\n"


def orders(rows: str) -> dict[str, Any]:
    return a_product(
        {"orders": a_contract("orders", [ID], extra=DAILY)},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": "select id from orders_csv",
            "orders.csv": rows,
            "waivers.yaml": WAIVER.format(datetime.now(UTC).date() + timedelta(days=5)),
        },
        extra=TEAM + f'tags: ["{HOSTILE}", daily]\n',
    )


def copy_of(port: str, address: str, sla: str = DAILY) -> dict[str, Any]:
    return a_product(
        {port: a_contract(port, [ID], extra=sla)},
        inputs=[an_input(address)],
        files={f"{port}.sql": f"select id from {address}"},
    )


def customers() -> dict[str, Any]:
    rows = "".join(f"{n},,\n" for n in range(int(COUNTED)))
    columns = [
        ID,
        CLASSIFIED.replace("WHO", f"Who it is. {HOSTILE}"),
        MASKED,
    ]
    return a_product(
        {"customers": columns},
        inputs=[a_source("customers_csv", "customers.csv")],
        files={
            "customers.sql": "select id, person, phone from customers_csv",
            "customers.csv": f"id,person,phone\n{rows}99999,{PERSON},{PHONE}\n",
        },
        extra=f'description: {{purpose: "{HOSTILE}"}}\n',
    )


def make(root: Path) -> Settings:
    """Run, refuse, hold, withdraw, be late; then look, so that there are incidents."""
    soon = "slaProperties:\n  - {property: frequency, value: 1, unit: ms}\n"
    settings = write_workspace(
        root,
        {
            "shop": {"orders": orders("id\n1\n2\n"), "customers": customers()},
            "desk": {
                "totals": copy_of("totals", "shop.orders"),
                "late": copy_of("late", "shop.orders", soon),
            },
            "crew": {
                "held": copy_of("held", "shop.orders"),
                "gone": copy_of("gone", "shop.orders"),
                "lost": copy_of("lost", "crew.gone"),
                "fresh": copy_of("fresh", "shop.orders"),
            },
        },
    )
    ran = ("shop.orders", "shop.customers", "desk.totals", "desk.late", "crew.held", "crew.gone",
           "crew.lost")  # fmt: skip
    for name in ran:
        assert run(settings, name).publication is not None, name
    write_product(root, "shop", "orders", orders("id\n1\n1\n"))  # a key twice
    assert run(settings, "shop.orders").publication is None
    where = environment(settings)
    hold_product(product(settings, "crew.held"), where, "the auditor reads it", None)
    withdraw_product(settings, "crew.gone")
    look(mesh(settings).products, where)
    asked = asked_by(where, "what if orders were <b>bold</b>?")
    open_sandbox(where.store, "trial", asked, datetime.now(UTC) + timedelta(hours=3))
    return settings


def withdraw_product(settings: Settings, name: str) -> None:
    where, every = environment(settings), mesh(settings).products
    take_away(taking(name, where, every), where, "it was wrong", None)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def links(self) -> set[str]:
        found = re.findall(r'<a[^>]* href="([^"#][^"]*)"', self.text)
        return {unescape(one).partition("#")[0] for one in found} - {""}


@dataclass(frozen=True)
class Browser:
    """Asks the application as its server does, without one."""

    app: Any

    def get(self, path: str, method: str = "GET", host: str = "localhost") -> Answer:
        plain, _, query = path.partition("?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
            "path": plain, "raw_path": plain.encode(), "query_string": query.encode(),
            "root_path": "", "headers": [(b"host", host.encode())], "server": ("localhost", 80),
            "client": ("test", 1),
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        body = b"".join(one.get("body", b"") for one in sent[1:])
        return Answer(sent[0]["status"], headers, body.decode())

    def crawl(self) -> Iterator[tuple[str, Answer]]:
        """Yield every page that links lead to, once."""
        waiting, seen = ["/"], {"/"}
        while waiting:
            path = waiting.pop()
            answer = self.get(path)
            yield path, answer
            more = {one for one in answer.links if one.startswith("/")} - seen
            seen |= more
            waiting += sorted(more)


def browser(settings: Settings, hosts: tuple[str, ...] = ("*",)) -> Browser:
    catalogue = catalogue_of(mesh(settings), settings)
    return Browser(app_of("mesh", looker(environment(settings), lambda: catalogue), hosts))
