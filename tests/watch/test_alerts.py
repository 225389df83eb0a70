"""Alerts reach people once, and the all clear follows; a dead channel harms nobody."""

from __future__ import annotations

import logging

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)
from receivers import mail_server, webhook

from dataops_mesh.errors import SettingsError
from dataops_mesh.settings import load_settings
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.channels import read_targets
from dataops_mesh.watch.trouble import LostRun, look

OWNED = """\
team:
  name: shop_team
  members: [{username: mia@mesh.example, role: owner}]
support:
  - {channel: shop-alerts, url: "https://chat.mesh.example/shop"}
  - {channel: shop-mail, url: "mailto:shop@mesh.example"}
"""
COLUMN = "{name: id, logicalType: integer, primaryKey: true, classification: public}"


def orders(csv="id\n1\n", *, extra=OWNED, settings="", sla=""):
    return a_product(
        ports={"orders": a_contract("orders", [COLUMN], extra=sla)},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id::bigint as id from csv", "o.csv": csv},
        extra=extra,
        settings=settings,
    )


class Shop:
    """A workspace whose alerts go where a file says."""

    def __init__(self, root, content) -> None:
        self.root = root
        write_workspace(
            root,
            {"shop": {"orders": content}},
            settings='alerts_file = "alerts.toml"\nui_url = "http://ui.mesh.example"\n',
        )

    def lead(self, text):
        (self.root / "alerts.toml").write_text(text, "utf-8")

    @property
    def settings(self):
        return load_settings(self.root)

    def deliver_and_run(self, csv, **more: str):
        write_product(self.root, "shop", "orders", orders(csv, **more))
        return run(self.settings, "shop.orders")

    def tick(self, lost=None):
        """Do what the sensor does."""
        env, products = environment(self.settings), [product(self.settings, "shop.orders")]
        look(products, env, lost or {})
        return deliver(products, env)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path, orders())


def titles(received):
    return [body["text"] for _, _, body in received]


def test_a_refusal_is_told_once_and_its_end_too(shop):
    with webhook() as hook:
        shop.lead(f'[channels]\nshop-alerts = "{hook.url}"\n')
        shop.deliver_and_run("id\n1\n")
        shop.tick()
        assert hook == []
        report = shop.deliver_and_run("id\n1\n1\n")
        for _ in range(3):
            shop.tick()
        shop.deliver_and_run("id\n1\n1\n1\n")
        shop.tick()
        assert titles(hook) == ["refused: shop.orders"]
        shop.deliver_and_run("id\n1\n2\n")
        shop.tick()
        shop.tick()
        assert titles(hook) == ["refused: shop.orders", "all clear: refused: shop.orders"]
    _, kind, body = hook[0]
    assert kind == "application/json"
    (attachment,) = body["attachments"]
    assert "primary_key" in attachment["text"]
    assert "still read the last good publication" in attachment["text"]
    run_id = next(r for r in [report.candidate] if r)
    assert run_id
    assert attachment["title_link"].startswith("http://ui.mesh.example/runs/")
    fields = {field["title"]: field["value"] for field in attachment["fields"]}
    assert fields["team"] == "shop_team"
    assert fields["owners"] == "mia@mesh.example"


def test_mail_goes_to_the_address_of_the_channel(shop):
    with mail_server() as mail:
        shop.lead(f'mail = "{mail.url}"\n')
        shop.deliver_and_run("id\n1\n1\n")
        deliveries = shop.tick()
        assert {d.channel for d in deliveries} == {"log", "shop-mail"}
        ((to, text),) = mail
    assert any("shop@mesh.example" in line for line in to)
    assert "refused: shop.orders" in text


def test_what_apprise_brings_says_whose_it_is_and_what_to_type(shop):
    """Who is woken by a pager knows no more than the message does."""
    with webhook() as hook:
        shop.lead(f'[channels]\nshop-alerts = "{hook.url.replace("http://", "json://")}"\n')
        shop.deliver_and_run("id\n1\n1\n")
        shop.tick()
        (incident,) = look([product(shop.settings, "shop.orders")], environment(shop.settings), {})
        shop.deliver_and_run("id\n1\n")
        shop.tick()
    (_, _, opened), (_, _, closed) = hook
    for words in (
        incident.incident,
        f"mesh incident ack {incident.incident} --until",
        "mesh show shop.orders --history",
        "shop_team",
        "mia@mesh.example",
        "http://ui.mesh.example/runs/",
    ):
        assert words in opened["message"], words
    assert incident.incident in closed["message"]
    assert "incident ack" not in closed["message"], "it is over"


def test_a_dead_channel_is_tried_again_and_its_target_is_never_said(shop, caplog):
    caplog.set_level(logging.DEBUG)
    with webhook() as hook:
        url = hook.url
        shop.lead(f'[channels]\nshop-alerts = "{url}"\n"*" = "{url}"\n')
        hook.answers = [500, 500]
        report = shop.deliver_and_run("id\n1\n1\n")
        first = shop.tick()
        assert hook == []
        faults = {d.channel: d.fault for d in first if d.fault}
        assert set(faults) == {"shop-alerts", "*"}
        second = shop.tick()
        assert [d.fault for d in second] == ["", ""]
        assert titles(hook) == ["refused: shop.orders"] * 2
    shop.lead('[channels]\nshop-alerts = "http://127.0.0.1:9/hook/s3cret-path"\n')
    shop.deliver_and_run("id\n1\n")
    (gone,) = [d for d in shop.tick() if d.channel == "shop-alerts"]
    assert gone.fault
    said = caplog.text + str(first) + str(gone) + repr(read_targets(shop.settings))
    assert "s3cret" not in said
    assert not report.published


def test_a_run_that_left_no_record_is_told_and_cleared(shop):
    with webhook() as hook:
        shop.lead(f'[channels]\nshop-alerts = "{hook.url}"\n')
        lost = {"shop.orders": LostRun("r1", "the run ended as failure")}
        shop.tick(lost)
        shop.tick(lost)
        shop.tick()
        assert titles(hook) == ["run failed: shop.orders", "all clear: run failed: shop.orders"]


def test_a_promise_about_runs_that_is_broken_is_told(shop):
    """A run on a busy machine takes seconds, and must not be late by itself."""
    sla = "slaProperties:\n  - {property: freshness, value: 10, unit: s}\n"
    with webhook() as hook:
        shop.lead(f'[channels]\nshop-alerts = "{hook.url}"\n')
        shop.deliver_and_run("id\n1\n", sla=sla)
        import time

        time.sleep(10.1)
        shop.tick()
        assert titles(hook) == ["late: shop.orders (runs)"]
        shop.deliver_and_run("id\n1\n", sla=sla)
        shop.tick()
        assert titles(hook)[1:] == ["all clear: late: shop.orders (runs)"]


def test_every_publication_is_an_event_for_a_service_in_order_and_after_faults(tmp_path):
    told = {"settings": a_setting("events", "[warehouse]")}
    shop = Shop(tmp_path, orders(**told))
    with webhook() as hook:
        shop.lead(f'[channels]\nwarehouse = "{hook.url}"\n')
        shop.deliver_and_run("id\n1\n", **told)
        shop.tick()
        hook.answers = [400]
        shop.deliver_and_run("id\n1\n2\n", **told)
        shop.deliver_and_run("id\n1\n1\n", **told)
        shop.tick()
        shop.deliver_and_run("id\n1\n2\n3\n", **told)
        shop.tick()
        shop.tick()
        events = [body for _, _, body in hook]
    assert [event["data"]["rows"] for event in events] == [1, 2, 3]
    assert [event["id"] for event in events] == [f"shop.orders@{n}" for n in (1, 2, 3)]
    assert {event["specversion"] for event in events} == {"1.0"}
    assert {kind for _, kind, _ in hook} == {"application/cloudevents+json"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("[channels\n", "is not TOML"),
        ("[chanels]\n", "unknown keys: chanels"),
        ('[channels]\nshop = "s3cret://x"\n', 'channel "shop" has a target of no known kind'),
        ("[channels]\nshop = 3\n", 'channel "shop" has a target of no known kind'),
        ('mail = "https://s3cret"\n', "`mail` is not a mailto"),
    ],
)
def test_a_bad_file_of_targets_is_an_error_without_a_secret(shop, text, said):
    if text is not None:
        shop.lead(text)
    with pytest.raises(SettingsError) as raised:
        read_targets(shop.settings)
    assert said in str(raised.value)
    assert "s3cret" not in str(raised.value)
