"""Somebody says that he looks at it: nobody is reminded until it ends, changes, or time is up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)
from receivers import webhook

from dataops_mesh.errors import UnknownNameError
from dataops_mesh.ledger import operations
from dataops_mesh.run.record import open_record
from dataops_mesh.watch.acknowledged import acknowledge, acknowledged, ends_at, take_back
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.monitor import audit_published
from dataops_mesh.watch.trouble import LostRun, look

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true, classification: public}",
    "{name: kind, logicalType: string, required: true, classification: public}",
]
SUPPORT = "support: [{channel: shop, url: 'https://chat.mesh.example/shop'}]\n"
HOUR = timedelta(hours=1)
REMINDED = "still, after"


class Shop:
    """A shop that is refused, and a channel that is reminded every four hours."""

    def __init__(self, root, hook) -> None:
        lines = 'alerts_file = "alerts.toml"\nremind = "4h"\nescalate_after = "6h"\n'
        self.root, self.hook = root, hook
        made = {"shop": {"orders": self.made("id,kind\n1,a\n")}}
        self.settings = write_workspace(root, made, settings=lines + 'escalate = ["lead"]\n')
        where = f'[channels]\nshop = "{hook.url}?shop"\nlead = "{hook.url}?lead"\n'
        (root / "alerts.toml").write_text(where, "utf-8")
        self.place = environment(self.settings)

    def made(self, csv: str):
        files = {"orders.sql": "select id::bigint as id, kind from csv", "o.csv": csv}
        contract = a_contract("orders", COLUMNS)
        return a_product(
            {"orders": contract}, inputs=[a_source("csv", "o.csv")], files=files, extra=SUPPORT
        )

    def build(self, csv: str):
        write_product(self.root, "shop", "orders", self.made(csv))
        return run(self.settings, "shop.orders")

    def see(self, lost=None):
        return look([product(self.settings, "shop.orders")], self.place, lost or {})

    def said(self, at: datetime) -> list[str]:
        already = len(self.hook)
        deliver([product(self.settings, "shop.orders")], self.place, at)
        return [body["text"] for _, _, body in self.hook[already:]]

    def seen(self, at: datetime):
        with open_record(self.place) as ledger:
            return acknowledged(ledger, self.see(), at)


@pytest.fixture
def shop(tmp_path):
    with webhook() as hook:
        yield Shop(tmp_path, hook)


TWICE, NULL, BOTH = "id,kind\n1,a\n1,b\n", "id,kind\n1,\n", "id,kind\n1,a\n1,\n"


def refused_and_told(shop, csv=TWICE):
    assert not shop.build(csv).published
    (incident,) = shop.see()
    now = datetime.now(UTC)
    assert shop.said(now) == ["refused: shop.orders"]
    return incident, now


def test_who_said_it_why_and_until_when_is_on_record(shop):
    incident, now = refused_and_told(shop)
    acknowledge([incident], shop.place, "the supplier mends it", now + 8 * HOUR)
    (one,) = shop.seen(now).values()
    assert (one.person, one.reason, one.until) == ("ana", "the supplier mends it", now + 8 * HOUR)
    assert one.faults == {"shop.orders primary_key"}
    with open_record(shop.place) as ledger:
        (said,) = operations(ledger, named="acknowledge")
    assert said.subjects == ("shop.orders", incident.incident)
    assert "2" not in "".join(one.faults), "no number of it"


def test_no_reminder_and_no_escalation_while_it_holds_and_both_after(shop):
    incident, now = refused_and_told(shop)
    acknowledge([incident], shop.place, "I look", now + 9 * HOUR)
    for hours in (4.5, 6.5, 8.5):
        assert shop.said(now + hours * HOUR) == []
    again = shop.said(now + 9 * HOUR)
    assert len(again) == 2
    assert again[0].startswith(REMINDED)
    assert again[1].startswith("escalated after")
    assert shop.said(now + 9.1 * HOUR) == []


def test_the_same_again_does_not_end_it_and_another_check_does_for_good(shop):
    incident, now = refused_and_told(shop)
    acknowledge([incident], shop.place, "I look", now + 24 * HOUR)
    shop.build("id,kind\n1,a\n1,b\n1,c\n2,d\n")
    assert shop.seen(now), "more rows of the same"
    shop.build(BOTH)
    assert not shop.seen(now), "another check fails"
    assert shop.said(now + 4.5 * HOUR)[0].startswith(REMINDED)
    shop.build(TWICE)
    assert not shop.seen(now), "what it was said of had changed meanwhile"


def test_it_ends_with_the_incident_and_covers_no_other(shop):
    incident, now = refused_and_told(shop)
    acknowledge([incident], shop.place, "I look", now + 24 * HOUR)
    assert shop.build("id,kind\n1,a\n").published
    assert not shop.seen(now)
    assert shop.said(now + HOUR) == ["all clear: refused: shop.orders"], "this is told all the same"
    assert not shop.build(TWICE).published
    assert not shop.seen(now)
    assert shop.said(now + HOUR) == ["refused: shop.orders"]


def test_it_can_be_taken_back_and_said_again(shop):
    incident, now = refused_and_told(shop)
    acknowledge([incident], shop.place, "I look", now + 24 * HOUR)
    take_back([incident], shop.place, "I cannot")
    assert not shop.seen(now)
    acknowledge([incident], shop.place, "lea looks", now + 2 * HOUR)
    assert shop.seen(now)[incident.incident].reason == "lea looks"
    assert not shop.seen(now + 2 * HOUR)


def test_a_failure_of_another_kind_ends_it(shop):
    lost = {"shop.orders": LostRun("r1", "IO error at byte 17")}
    (incident,) = shop.see(lost)
    now = datetime.now(UTC)
    acknowledge([incident], shop.place, "the disk", now + 24 * HOUR)

    def seen(why: str) -> object:
        found = shop.see({"shop.orders": LostRun("r2", why)})
        with open_record(shop.place) as ledger:
            return acknowledged(ledger, found, now)

    assert seen("IO error at byte 18")
    assert not seen("the step failed")


def test_what_escaped_is_acknowledged_by_its_checks(shop):
    assert shop.build("id,kind\n1,a\n").published
    found = product(shop.settings, "shop.orders")
    text = (found.folder / "orders.odcs.yaml").read_text("utf-8")
    longer = text.replace(
        "logicalType: string, required: true",
        "logicalType: string, logicalTypeOptions: {minLength: 2}, required: true",
    )
    (found.folder / "orders.odcs.yaml").write_text(longer, "utf-8")
    audit_published(product(shop.settings, "shop.orders"), shop.place)
    (incident,) = shop.see()
    assert incident.trouble.kind == "escaped"
    now = datetime.now(UTC)
    acknowledge([incident], shop.place, "I look", now + HOUR)
    assert shop.seen(now)
    unlike = longer.replace(
        "logicalType: integer", "logicalType: integer, logicalTypeOptions: {minimum: 5}"
    )
    (found.folder / "orders.odcs.yaml").write_text(unlike, "utf-8")
    audit_published(product(shop.settings, "shop.orders"), shop.place)
    assert not shop.seen(now)


@pytest.mark.parametrize("text", ["soon", "0h", "2020-01-01", "2w 3d", "90d", ""])
def test_an_end_that_is_none_is_refused_with_the_choices(text):
    with pytest.raises(UnknownNameError) as raised:
        ends_at(text, datetime(2026, 1, 1, tzinfo=UTC))
    assert "90m, 12h, 7d, 2w" in str(raised.value)


def test_an_end_is_a_length_or_a_moment():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert ends_at("2d", at) == at + 48 * HOUR
    assert ends_at("2026-01-02T12:00", at) == at + 36 * HOUR
    assert ends_at("2026-01-02T12:00+01:00", at) == at + 35 * HOUR
