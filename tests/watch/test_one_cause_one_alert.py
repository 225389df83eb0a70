"""Ten products late because of one upstream: one alert, which names them and their owners."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)
from hypothesis import given
from hypothesis import strategies as st
from receivers import webhook

from dataops_mesh.ledger.trouble.incidents import (
    Incident,
    Trouble,
    incidents_since,
    update_incidents,
)
from dataops_mesh.run.record import open_record
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.causes import LINGERS, TOGETHER, causes

BEGIN = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMN = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
DESK = ("one", "two", "three")


def owned(team: str, channel: str) -> str:
    return (
        f"team: {{name: {team}, members: [{{username: {team}@mesh.example, role: owner}}]}}\n"
        f"support: [{{channel: {channel}, url: 'https://chat.mesh.example/{channel}'}}]\n"
    )


def shop(csv: str = "id\n1\n"):
    return a_product(
        {"orders": a_contract("orders", [COLUMN])},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id::bigint as id from csv", "o.csv": csv},
        extra=owned("mia", "shop"),
    )


def reader(port: str, source: str = "shop.orders"):
    return a_product(
        {port: a_contract(port, [COLUMN])},
        inputs=[an_input(source)],
        files={f"{port}.sql": f"select id from {source}"},
        extra=owned("leo", "desk"),
    )


class Mesh:
    """A shop, three desks that read it, and alerts that go to one webhook."""

    def __init__(self, root, hook, *, settings: str = "") -> None:
        made = {"shop": {"orders": shop()}, "desk": {name: reader(name) for name in DESK}}
        lines = f'alerts_file = "alerts.toml"\n{settings}'
        self.settings = write_workspace(root, made, settings=lines)
        self.hook = hook
        (root / "alerts.toml").write_text(
            f'[channels]\nshop = "{hook.url}?shop"\ndesk = "{hook.url}?desk"\nlead = "{hook.url}?lead"\n',
            "utf-8",
        )
        self.place = environment(self.settings)
        for name in ("shop.orders", *(f"desk.{one}" for one in DESK)):
            assert run(self.settings, name).published

    def see(self, domain: str, *wrong: tuple[str, str], at: datetime) -> None:
        """Let the domain's products have these troubles, as a look at that time finds them."""
        names = ["shop.orders"] if domain == "shop" else [f"desk.{one}" for one in DESK]
        found = [
            Trouble(name, kind, "runs" if kind == "late" else "", "why") for name, kind in wrong
        ]
        with open_record(self.place) as ledger:
            update_incidents(ledger, names, found, at)

    def tick(self, domain: str, at: datetime):
        """Do what the domain's sensor does; return what each channel was told."""
        names = ["orders"] if domain == "shop" else DESK
        already = len(self.hook)
        deliver([product(self.settings, f"{domain}.{one}") for one in names], self.place, at)
        return [
            (path.partition("?")[2], body["text"], body) for path, _, body in self.hook[already:]
        ]

    def said(self, domain: str, at: datetime) -> list[tuple[str, str]]:
        return [(channel, text) for channel, text, _ in self.tick(domain, at)]


@pytest.fixture
def hook():
    with webhook() as received:
        yield received


LATE = [(f"desk.{name}", "late") for name in DESK]


def test_all_that_is_late_is_told_with_its_cause_and_its_owners(tmp_path, hook):
    mesh = Mesh(tmp_path, hook)
    mesh.see("shop", ("shop.orders", "caught"), at=BEGIN)
    assert mesh.said("shop", BEGIN) == [("shop", "refused: shop.orders")]
    mesh.see("desk", *LATE, at=BEGIN + HOUR)
    (told,) = mesh.tick("desk", BEGIN + HOUR)
    assert told[:2] == ("desk", "refused: shop.orders"), "the desk hears of the cause, once"
    (attachment,) = told[2]["attachments"]
    assert "Late because of it: desk.one (leo@mesh.example), desk.three (leo@mesh.example), desk.two" in attachment["text"]  # fmt: skip
    fields = {one["title"]: one["value"] for one in attachment["fields"]}
    assert (fields["product"], fields["owners"]) == ("shop.orders", "mia@mesh.example")
    assert fields["affected"] == "desk.one, desk.three, desk.two"
    affected = [("shop", "3 products are late because of it: refused: shop.orders")]
    assert mesh.said("shop", BEGIN + HOUR) == affected
    for domain in ("shop", "desk"):
        assert mesh.said(domain, BEGIN + 2 * HOUR) == []
    mesh.see("shop", at=BEGIN + 3 * HOUR)
    assert mesh.said("shop", BEGIN + 3 * HOUR) == [("shop", "all clear: refused: shop.orders")]
    assert mesh.said("desk", BEGIN + 3 * HOUR) == [("desk", "all clear: refused: shop.orders")]
    mesh.see("desk", LATE[0], at=BEGIN + 3.5 * HOUR)
    assert mesh.said("desk", BEGIN + 3.5 * HOUR) == [], "it is being built"
    lasts = [("desk", "late: desk.one (runs)")]
    assert mesh.said("desk", BEGIN + 3 * HOUR + LINGERS) == lasts, "the cause was not the cause"
    mesh.see("desk", at=BEGIN + 5 * HOUR)
    clear = [("desk", "all clear: late: desk.one (runs)")]
    assert mesh.said("desk", BEGIN + 5 * HOUR) == clear
    assert mesh.said("desk", BEGIN + 6 * HOUR) == []


def test_a_reminder_names_what_is_late_and_the_lead_hears_of_what_lasts(tmp_path, hook):
    lines = 'remind = "4h"\nescalate_after = "6h"\nescalate = ["lead"]\n'
    mesh = Mesh(tmp_path, hook, settings=lines)
    mesh.see("shop", ("shop.orders", "caught"), at=BEGIN)
    mesh.see("desk", *LATE, at=BEGIN)
    assert mesh.said("desk", BEGIN) == [("desk", "refused: shop.orders")]
    assert mesh.said("shop", BEGIN) == [("shop", "refused: shop.orders")]
    (told,) = mesh.tick("shop", BEGIN + 4 * HOUR)
    assert told[:2] == ("shop", "still, after 4.0 hours: refused: shop.orders")
    assert "desk.one (leo@mesh.example)" in told[2]["attachments"][0]["text"]
    assert mesh.said("desk", BEGIN + 4 * HOUR) == [
        ("desk", "still, after 4.0 hours: refused: shop.orders")
    ]
    assert mesh.said("shop", BEGIN + 6 * HOUR) == [
        ("lead", "escalated after 6.0 hours: refused: shop.orders")
    ]
    assert mesh.said("desk", BEGIN + 6 * HOUR) == []
    mesh.see("shop", at=BEGIN + 7 * HOUR)
    over = "all clear: refused: shop.orders"
    assert mesh.said("shop", BEGIN + 7 * HOUR) == [("shop", over), ("lead", over)]


def test_a_delivery_that_has_not_come_is_the_cause_in_its_own_product_too(tmp_path, hook):
    mesh = Mesh(tmp_path, hook)
    mesh.see("shop", ("shop.orders", "delivery"), ("shop.orders", "late"), at=BEGIN)
    mesh.see("desk", LATE[0], at=BEGIN)
    (told,) = mesh.tick("shop", BEGIN)
    assert told[:2] == ("shop", "not delivered: shop.orders")
    late = told[2]["attachments"][0]["text"]
    assert "Late because of it: desk.one (leo@mesh.example), shop.orders (mia@mesh.example)" in late
    assert mesh.said("desk", BEGIN) == [("desk", "not delivered: shop.orders")]


def test_what_is_late_by_itself_is_told_by_itself(tmp_path, hook):
    mesh = Mesh(tmp_path, hook)
    mesh.see("desk", LATE[0], at=BEGIN)
    assert mesh.said("desk", BEGIN) == [("desk", "late: desk.one (runs)")]
    mesh.see("shop", ("shop.orders", "failed"), at=BEGIN + TOGETHER / 2)
    assert mesh.said("desk", BEGIN + HOUR) == [], "it was told already"
    mesh.see("desk", LATE[0], ("desk.two", "caught"), at=BEGIN + HOUR)
    assert mesh.said("desk", BEGIN + HOUR) == [("desk", "refused: desk.two")], "refused by itself"


def test_a_chain_is_told_with_its_beginning(tmp_path, hook):
    mesh = Mesh(tmp_path, hook)
    write_product(tmp_path, "desk", "two", reader("two", "desk.one"))
    assert run(mesh.settings, "desk.two").published
    mesh.see("shop", ("shop.orders", "failed"), at=BEGIN)
    mesh.see("desk", LATE[0], LATE[1], at=BEGIN)
    (told,) = mesh.tick("desk", BEGIN)
    assert told[:2] == ("desk", "run failed: shop.orders")
    assert "desk.one" in told[2]["attachments"][0]["text"]
    assert "desk.two" in told[2]["attachments"][0]["text"]


def test_two_that_look_at_once_tell_it_once(tmp_path, hook):
    mesh = Mesh(tmp_path, hook)
    mesh.see("shop", ("shop.orders", "caught"), at=BEGIN)
    found, start, faults = [product(mesh.settings, "shop.orders")], threading.Barrier(4), []

    def look() -> None:
        start.wait()
        try:
            deliver(found, mesh.place, BEGIN)
        except Exception as error:  # noqa: BLE001 - told below
            faults.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert [body["text"] for _, _, body in hook] == ["refused: shop.orders"]


def test_a_channel_of_the_escalation_that_leads_nowhere_is_a_fault_and_not_told(tmp_path, hook):
    lines = 'escalate_after = "6h"\nescalate = ["boss"]\n'
    mesh = Mesh(tmp_path, hook, settings=lines)
    mesh.see("shop", ("shop.orders", "caught"), at=BEGIN)
    mesh.tick("shop", BEGIN)
    for _ in range(2):
        (told,) = deliver([product(mesh.settings, "shop.orders")], mesh.place, BEGIN + 6 * HOUR)
        assert (told.channel, told.fault) == (
            "boss",
            "it leads nowhere: the alerts file does not have it",
        )


names = st.sampled_from(["a", "b", "c", "d", "e"])
edges = st.sets(st.tuples(names, names), max_size=12)
kinds = st.sampled_from(["caught", "failed", "late", "escaped", "condition"])
wrongs = st.lists(
    st.tuples(names, kinds, st.integers(0, 30), st.none() | st.integers(30, 200)), max_size=9
)


@given(edges, wrongs, st.randoms())
def test_nothing_is_lost_in_a_group_and_no_order_decides(feeds, wrong, random):
    """Every cause is upstream, is told by itself, and began no later; whatever the mesh's shape."""
    above = {name: reachable(name, feeds) for name in "abcde"}
    found = [
        Incident(
            f"i{number}", Trouble(name, kind, str(number), ""),
            BEGIN + timedelta(minutes=opened),
            None if closed is None else BEGIN + timedelta(minutes=closed),
        )
        for number, (name, kind, opened, closed) in enumerate(wrong)
    ]  # fmt: skip
    now = BEGIN + timedelta(minutes=200)
    grouped = causes(found, above, now)
    by_name = {one.incident: one for one in found}
    for name, roots in grouped.items():
        late = by_name[name]
        assert late.trouble.kind == "late"
        assert roots
        for root in roots:
            assert root.incident not in grouped, "a cause has no cause"
            assert root.trouble.product in above[late.trouble.product]
            assert root.trouble.kind in {"caught", "failed", "late"}
            assert root.closed is None or now - root.closed < LINGERS
    for late in found:  # one that is directly upstream, open and earlier is never overlooked
        if late.trouble.kind == "late" and late.incident not in grouped:
            for one in found:
                above_it = one.trouble.product in above[late.trouble.product]
                reads_it = late.trouble.product in above[one.trouble.product]
                same = one.trouble.product == late.trouble.product
                earlier = one.opened <= late.opened and one.closed is None
                cause = one.trouble.kind in {"caught", "failed", "late"}
                assert not (above_it and not reads_it and not same and earlier and cause)
    mixed = list(found)
    random.shuffle(mixed)
    assert causes(mixed, above, now) == grouped


def reachable(name, feeds):
    found, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        more = {upper for lower, upper in feeds if lower == one} - found
        found |= more
        waiting += more
    return found - {name}


def test_incidents_of_the_mesh_are_those_that_are_open_or_were_lately(tmp_path, hook):
    mesh = Mesh(tmp_path, hook)
    mesh.see("shop", ("shop.orders", "caught"), at=BEGIN)
    mesh.see("shop", at=BEGIN + HOUR)
    with open_record(mesh.place) as ledger:
        assert len(incidents_since(ledger, BEGIN + HOUR)) == 1
        assert incidents_since(ledger, BEGIN + 2 * HOUR) == ()
