"""What has ended is withdrawn by itself, and nothing that anybody reads or nobody approved (A11)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dataops_mesh.errors import Location
from dataops_mesh.run.word.ends import Allowed, End, Seen, ends
from dataops_mesh.spec.model import (
    Address,
    Contract,
    OutputPort,
    Product,
    Sla,
    Transform,
    TransformKind,
)
from dataops_mesh.spec.partition import Cadence, Partitioning
from dataops_mesh.store.log import PUBLICATION, Entry, Part, Release

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
HERE = Location("x", 1)


def a_port(name="shop.orders", *, life="", status="active", cut=None, identity=""):
    address = Address.parse(name)
    slas = (Sla("endOfLife", life, HERE),) if life else ()
    contract = Contract(
        identity or f"urn:{name}", "1.0.0", HERE, "f", (), slas=slas, status=status,
        partitioning=cut,
    )  # fmt: skip
    return OutputPort(address, contract, HERE, "1.0.0")


def a_product(*ports: OutputPort, status="active", name="shop.orders"):
    domain, _, own = name.partition(".")
    transform = Transform(TransformKind.SQL, ())
    found = ports or (a_port(name),)
    return Product(
        domain, own, name, "1.0.0", Path(own), HERE, "f", tuple(found), transform, status=status
    )


def an_entry(product="shop.orders", *keys: str):
    parts = tuple(Part(key, "c", 1, "f", 1, (), "") for key in keys)
    return Entry(product, "c", 1, "f", 1, parts=parts)


def seen(declared, published, *, before=None, readers=(), refusals=(), **more: Any):
    entries = {Address.parse(name): entry for name, entry in published.items()}
    facts = {
        "products": {one.qualified_name: one for one in declared},
        "domains": frozenset({"shop"}),
        "ours": frozenset({"shop", "old"}),
        "release": Release(1, PUBLICATION, NOW, ports=entries),
        "published": {one.qualified_name: one for one in before or declared}.get,
        "allowed": lambda _before, _after: Allowed(tuple(refusals)),
        "readers": lambda _address: readers,
        "now": NOW,
    }
    return Seen(**(facts | more))


ORDERS = {"shop.orders": an_entry()}
ELSEWHERE = {"old.orders": an_entry("old.orders")}  # another part of the repository
DAYS = Partitioning("day", Cadence.DAILY, date(2026, 1, 1))
LATER = Partitioning("day", Cadence.DAILY, date(2026, 1, 3))
TWO = {"shop.daily": an_entry("shop.daily", "2026-01-02", "2026-01-03")}
LAND = Partitioning("land", values=("east", "west"))
EAST = Partitioning("land", values=("east",))


def cut(partitioning):
    return a_product(a_port("shop.daily", cut=partitioning), name="shop.daily")


LIVING = [
    seen([a_product()], ORDERS),
    seen([a_product(a_port(life="2026-07-01"))], ORDERS),
    seen([a_product(a_port(life="2026-06-30T12:00:01Z"))], ORDERS),
    seen([a_product(a_port(life="2026-06-30"))], ORDERS, before=[a_product()]),
    seen([a_product(a_port(life="2026-06-30"))], ORDERS, before=[a_product(a_port(life="2027-01-01"))]),
    seen([a_product(status="retired")], {}),
    seen([], ORDERS, ours=frozenset({"desk"})),
    seen([a_product(a_port("shop.orders"), name="shop.other")], ORDERS),
    seen([], ELSEWHERE, before=[a_product(name="old.orders", status="draft")]),
    seen([], ELSEWHERE),
    seen([cut(DAYS)], TWO),
    seen([cut(Partitioning("day", Cadence.MONTHLY, date(2026, 1, 1)))], TWO),
    seen([cut(Partitioning("week", Cadence.DAILY, date(2026, 1, 3)))], TWO, before=[cut(DAYS)]),
]  # fmt: skip


@pytest.mark.parametrize("facts", LIVING)
def test_what_lives_does_not_end(facts):
    assert ends(facts) == ()


ENDING = {
    "was retired": seen([a_product(status="retired")], ORDERS),
    "was retired ": seen([a_product(a_port(status="retired"))], ORDERS),
    "is past its endOfLife, 2026-06-30": seen([a_product(a_port(life="2026-06-30"))], ORDERS),
    "is past its endOfLife, 2026-06-29": seen(
        [a_product(a_port(life="2026-06-29T13:00:00+01:00"))], ORDERS
    ),
    "is declared no more": seen([], ORDERS, before=[a_product()]),
    "is declared no more ": seen([a_product(a_port("shop.other"))], ORDERS),
    "was renamed to shop.sales": seen(
        [a_product(a_port("shop.sales", identity="urn:shop.orders"), name="shop.sales")],
        ORDERS | {"shop.sales": an_entry("shop.sales")},
        before=[a_product()],
    ),
    "left the declaration": seen([cut(LATER)], TWO),
    "left the declaration ": seen(
        [cut(EAST)], {"shop.daily": an_entry("shop.daily", "east", "west")}
    ),
}


@pytest.mark.parametrize("why", ENDING)
def test_what_nobody_reads_ends_by_itself(why):
    (end,) = ends(ENDING[why])
    assert end.why == why.strip()
    assert end.by_itself
    assert end.partitions in {(), ("2026-01-02",), ("west",)}
    assert bool(end.partitions) == why.startswith("left")


WAITING = {
    "desk.totals still reads it": [
        seen([a_product(status="retired")], ORDERS, readers=("desk.totals",)),
        seen([a_product(a_port(life="2026-06-30"))], ORDERS, readers=("desk.totals",)),
        seen([], ORDERS, before=[a_product()], readers=("desk.totals",)),
        seen([cut(LATER)], TWO, readers=("desk.totals", "shop.daily")),
    ],
    "needs an approval": [
        seen([a_product(status="retired")], ORDERS, refusals=("needs an approval",)),
        seen([], ORDERS, before=[a_product()], refusals=("needs an approval",)),
    ],
    "nobody can say who reads it": [
        seen([a_product(status="retired")], ORDERS, readers=None),
    ],
    "still builds it": [
        seen([a_product(a_port(life="2026-06-30"), a_port("shop.other"))], ORDERS),
        seen([a_product(a_port(status="retired"), a_port("shop.other"))], ORDERS),
    ],
    "not published without": [
        seen([a_product(a_port("shop.other"))], ORDERS, before=[a_product()]),
        seen([cut(LATER)], TWO, before=[cut(DAYS)]),
    ],
    "shop.sales is not published yet": [
        seen(
            [a_product(a_port("shop.sales", identity="urn:shop.orders"), name="shop.sales")],
            ORDERS,
            before=[a_product()],
        )
    ],
    "cannot be read": [seen([], ORDERS)],
}


@pytest.mark.parametrize(("why", "facts"), [(w, f) for w, found in WAITING.items() for f in found])
def test_what_is_read_or_not_approved_waits_for_a_person(why, facts):
    (end,) = ends(facts)
    assert not end.by_itself
    assert why in end.stopped


def test_a_product_ends_with_all_its_ports_at_once():
    ports = (a_port(life="2026-06-01"), a_port("shop.other", life="2026-05-01"))
    both = ORDERS | {"shop.other": an_entry()}
    (end,) = ends(seen([a_product(*ports)], both))
    assert isinstance(end, End)
    assert [str(address) for address in end.addresses] == ["shop.orders", "shop.other"]
