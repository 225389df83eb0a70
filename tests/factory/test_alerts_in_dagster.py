"""The alert sensor on a real instance: it tells again, hears what people said, and then rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from helpers import (
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)
from locations import BAD, COLUMNS, GOOD, MORE, SELECT, orders
from receivers import webhook
from sqlalchemy import update
from ticks import Watched, desk_of

from dataops_mesh.ledger.database import transaction
from dataops_mesh.ledger.schema import deliveries, incidents
from dataops_mesh.ledger.trouble.incidents import incidents_of
from dataops_mesh.run.record import open_ledger_of, open_record
from dataops_mesh.watch.acknowledged import acknowledge

LINES = 'remind = "4h"\nescalate_after = "1d"\nescalate = ["lead"]\nalerts_file = "alerts.toml"\n'
SUPPORT = "support: [{channel: shop, url: 'https://chat.mesh.example/shop'}]\n"


class Told:
    """A shop with a channel; what its sensor tells."""

    def __init__(self, root, instance, hook, *, conditions: str = "") -> None:
        self.hook, self.conditions = hook, conditions
        made = {"shop": {"orders": self.made(GOOD)}}
        self.settings = write_workspace(root, made, settings=LINES)
        where = f'[channels]\nshop = "{hook.url}?shop"\nlead = "{hook.url}?lead"\n'
        (root / "alerts.toml").write_text(where, "utf-8")
        assert run(self.settings, "shop.orders").published
        self.watched = Watched(self.settings, instance)
        self.watched.settle("alerts")

    def made(self, csv: str):
        return a_product(
            ports={"orders": COLUMNS},
            inputs=[a_source("orders_csv", "orders.csv")],
            files={"orders.sql": SELECT, "orders.csv": csv},
            extra=SUPPORT,
            settings=self.conditions,
        )

    def build(self, csv: str):
        write_product(self.settings.root, "shop", "orders", self.made(csv))
        return run(self.settings, "shop.orders")

    def said(self) -> list[str]:
        """Let the sensor look until it rests; return what was told."""
        already = len(self.hook)
        self.watched.settle("alerts")
        return [body["text"] for _, _, body in self.hook[already:]]

    def earlier(self, by: timedelta) -> None:
        """Let all that was told and opened have been so much earlier."""
        at = (datetime.now(UTC) - by).isoformat()
        with (
            open_ledger_of(environment(self.settings)) as ledger,
            transaction(ledger) as connection,
        ):
            connection.execute(update(deliveries).values(at=at))
            connection.execute(update(incidents).values(opened=at))

    def incident(self):
        with open_record(environment(self.settings)) as ledger:
            (found,) = incidents_of(ledger, ["shop.orders"], only_open=True)
        return found


@pytest.fixture
def hook():
    with webhook() as received:
        yield received


def test_what_lasts_is_told_again_and_escalated_and_an_acknowledgement_is_heard(
    tmp_path, kept_instance, hook
):
    shop = Told(tmp_path, kept_instance, hook)
    assert not shop.build(BAD).published
    assert shop.said() == ["refused: shop.orders"]
    shop.earlier(timedelta(hours=5))
    assert shop.said() == ["still, after 5.0 hours: refused: shop.orders"]
    shop.watched.load()  # a daemon that begins anew, with no cursor
    shop.watched.cursors.clear()
    assert shop.said() == []
    until = datetime.now(UTC) + timedelta(hours=1)
    acknowledge([shop.incident()], environment(shop.settings), "I look", until)
    shop.earlier(timedelta(hours=30))
    assert shop.said() == []
    assert not shop.build("id,kind\n1,a\n1,\n").published, "another check"
    told = shop.said()
    assert [one.partition(" ")[0] for one in told] == ["still,", "escalated"]
    assert shop.build(MORE).published
    assert shop.said() == ["all clear: refused: shop.orders"] * 2


def test_a_condition_of_its_own_is_told_and_ends(tmp_path, kept_instance, hook):
    more = a_setting("conditions", "[{name: grows, when: rows > rowsBefore}]")
    shop = Told(tmp_path, kept_instance, hook, conditions=more)
    assert shop.build(MORE).published
    assert shop.said() == ["its own condition: shop.orders (grows)"]
    assert shop.watched.opened() == ["condition"]
    assert shop.build(MORE).published
    assert shop.said() == ["all clear: its own condition: shop.orders (grows)"]


def test_a_desk_that_is_late_behind_a_refusal_is_told_with_it(tmp_path, kept_instance, caplog):
    """Two domains, two sensors, one log: the refusal, then that the desk is late because of it."""
    desk = desk_of(tmp_path, kept_instance)
    shop = Watched(desk.settings, kept_instance, "shop")
    write_product(tmp_path, "shop", "orders", orders(BAD))
    assert not run(desk.settings, "shop.orders").published
    shop.settle("alerts")
    found = tmp_path / "domains" / "desk" / "totals" / "totals.odcs.yaml"
    sla = "slaProperties:\n  - {property: freshness, value: 1, unit: ms}\nschema:"
    found.write_text(found.read_text("utf-8").replace("schema:", sla, 1), "utf-8")
    assert product(desk.settings, "desk.totals")
    desk.load()
    desk.settle("alerts")
    told = [one.getMessage() for one in caplog.records if one.name == "dataops_mesh.alerts"]
    assert [one.partition("\n")[0] for one in told] == ["refused: shop.orders"]
    with open_record(environment(desk.settings)) as ledger:
        (late,) = incidents_of(ledger, ["desk.totals"], only_open=True)
    assert late.trouble.kind == "late"
