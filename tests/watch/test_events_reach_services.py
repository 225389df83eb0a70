"""Every publication is an event, in order, with its partition, signed; none is skipped (A19)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
import uuid
from itertools import pairwise
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    roll_back,
    run,
    write_product,
)
from receivers import webhook
from test_alerts import Shop, orders

from dataops_mesh.errors import SettingsError
from dataops_mesh.run.product import run_product
from dataops_mesh.run.word.hold import lift_hold
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.settings import load_settings
from dataops_mesh.store.collect import collect
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.channels import read_targets
from dataops_mesh.watch.events import event_problems

TOLD = {"settings": a_setting("events", "[warehouse]")}
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
DAYS = [f"d{n}" for n in range(10)]


def regions():
    cut = "customProperties:\n" + a_setting("partitions", f"{{values: [{', '.join(DAYS)}]}}")
    columns = ["{name: day, logicalType: string, partitioned: true}"]
    return a_product(
        ports={"regions": a_contract("regions", columns) + cut},
        inputs=[a_source("src", "'{partition}.csv'")],
        files={"regions.sql": "select day from src", **{f"{d}.csv": f"day\n{d}\n" for d in DAYS}},
        **TOLD,
    )


def tick(settings, *names: str):
    found = [product(settings, name) for name in names]
    return deliver(found, environment(settings))


def data(hook) -> list[dict]:
    return [body["data"] for _, _, body in hook]


def test_ten_partitions_published_before_anybody_looked_are_ten_events(tmp_path):
    shop = Shop(tmp_path, orders())
    write_product(tmp_path, "shop", "regions", regions())
    with webhook() as hook:
        shop.lead(f'[channels]\nwarehouse = "{hook.url}"\n')
        found, env = product(shop.settings, "shop.regions"), environment(shop.settings)
        for day in DAYS:
            assert run_product(found, env, run_id=day, partition=day).published
        tick(shop.settings, "shop.regions")
        tick(shop.settings, "shop.regions")
        assert [(one["publication"], one["partition"]) for one in data(hook)] == list(
            zip(range(1, 11), DAYS, strict=True)
        )
        assert {one["previous"] for one in data(hook)} == {None}
        assert len({one["fingerprint"] for one in data(hook)}) == 10
        assert [body["id"] for _, _, body in hook][3] == "shop.regions@4/d3"
        before = data(hook)[2]["fingerprint"]
        write_product(tmp_path, "shop", "regions", {"d2.csv": "day\nd2\nd2\n"})
        assert run_product(found, env, run_id="again", partition="d2").published
        tick(shop.settings, "shop.regions")
        assert (data(hook)[-1]["partition"], data(hook)[-1]["previous"]) == ("d2", before)
        page = (Path(__file__).parents[2] / "docs" / "production.md").read_text("utf-8")
        shown = json.loads(page.partition("```json\n")[2].partition("```")[0])
        event = hook[-1][2]
        assert (set(shown), set(shown["data"])) == (set(event), set(event["data"]))


def test_what_was_collected_meanwhile_is_told_from_the_record(tmp_path):
    shop = Shop(tmp_path, orders(**TOLD))
    with webhook() as hook:
        shop.lead(f'[channels]\nwarehouse = "{hook.url}"\n')
        for n in range(1, 5):
            shop.deliver_and_run(f"id\n{n}\n", **TOLD)
        shop.tick()
        told = data(hook)
        hook.clear()
        shop.deliver_and_run("id\n5\n", **TOLD)
        shop.deliver_and_run("id\n6\n", **TOLD)
        shop.deliver_and_run("id\n7\n", **TOLD)
        store = environment(shop.settings).store
        assert collect(store, keep_releases=1, grace_seconds=0).releases
        shop.tick()
        assert [one["publication"] for one in data(hook)] == [5, 6, 7]
        chain = [*told, *data(hook)]
    for before, after in pairwise(chain):
        assert after["previous"] == before["fingerprint"]


@pytest.mark.parametrize("cut", [False, True])
def test_what_was_withdrawn_and_collected_meanwhile_is_told_as_by_the_log(tmp_path, cut):
    """After a withdrawal consumers read nothing, so the content of before is news."""
    shop = Shop(tmp_path, orders(**TOLD))
    write_product(tmp_path, "shop", "regions", regions())
    name, key = ("shop.regions", "d2") if cut else ("shop.orders", None)
    env, said = environment(shop.settings), []

    def publish(rows: int) -> None:
        write_product(tmp_path, "shop", "regions", {"d2.csv": "day\n" + "d2\n" * rows})
        write_product(tmp_path, "shop", "orders", orders(f"id\n{rows}\n", **TOLD))
        found = product(shop.settings, name)
        assert run_product(found, env, run_id=uuid.uuid4().hex, partition=key).published

    for collected in (False, True):
        with webhook() as hook:
            shop.lead(f'[channels]\nwarehouse = "{hook.url}"\n')
            publish(1)
            tick(shop.settings, name)
            hook.clear()
            one = [product(shop.settings, name)]
            withdraw_product(taking(name, env, one, key or ""), env, "x", key)
            lift_hold(name, env, "y", *([key] if key else []))
            for rows in (1, 2, 1, 3):
                publish(rows)
            if collected:
                assert collect(env.store, keep_releases=1, grace_seconds=0).releases
            tick(shop.settings, name)
            said.append([
                tuple(one[k] for k in ("kind", "partition", "rows", "previous", "fingerprint"))
                for one in data(hook)
            ])  # fmt: skip
    assert said[0] == said[1]
    assert [kind for kind, *_ in said[0]] == ["withdrawal", *["publication"] * 4]
    assert {piece for _, piece, *_ in said[0]} == {key}
    assert said[0][1][3] is None, "nothing was read before"


def test_the_same_content_is_no_event_unless_a_channel_asks_and_a_rollback_is_one(tmp_path):
    shop = Shop(tmp_path, orders(**TOLD))
    with webhook() as quiet, webhook() as loud:
        settings = {"settings": a_setting("events", "[warehouse, audit]")}
        shop.lead(
            f'[channels]\nwarehouse = "{quiet.url}"\naudit = "{loud.url}"\n'
            "[events.audit]\nunchanged = true\n"
        )
        shop.deliver_and_run("id\n1\n", **settings)
        shop.deliver_and_run("id\n1\n", **settings)
        shop.deliver_and_run("id\n2\n", **settings)
        roll_back(shop.settings, "shop.orders", reason="x")
        shop.tick()
        assert [one["publication"] for one in data(quiet)] == [1, 3, 4]
        assert [one["publication"] for one in data(loud)] == [1, 2, 3, 4]
        assert [one["kind"] for one in data(quiet)] == ["publication", "publication", "rollback"]
        assert data(quiet)[-1]["fingerprint"] == data(quiet)[0]["fingerprint"]
        assert data(quiet)[-1]["previous"] == data(quiet)[1]["fingerprint"]


def test_a_channel_that_is_named_later_is_told_of_nothing_before(tmp_path):
    shop = Shop(tmp_path, orders())
    with webhook() as hook:
        shop.lead(f'[channels]\nwarehouse = "{hook.url}"\n')
        shop.deliver_and_run("id\n1\n")
        shop.deliver_and_run("id\n2\n", **TOLD)
        shop.deliver_and_run("id\n3\n", **TOLD)
        shop.tick()
        assert [one["publication"] for one in data(hook)] == [2, 3]


def test_an_event_is_signed_and_the_same_event_has_the_same_id(tmp_path, monkeypatch):
    shop = Shop(tmp_path, orders(**TOLD))
    with webhook() as hook:
        shop.lead(
            f'[channels]\nwarehouse = "{hook.url}"\n[events.warehouse]\nsecret = "HOOK_KEY"\n'
        )
        shop.deliver_and_run("id\n1\n", **TOLD)
        (unset,) = [one for one in shop.tick() if one.channel == "warehouse"]
        assert "$HOOK_KEY" in unset.fault
        assert list(hook) == []
        monkeypatch.setenv("HOOK_KEY", SECRET)
        shop.tick()
        ((headers, body),) = hook.raw
    assert headers["webhook-id"] == "shop.orders@1"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(b"k" * 32, signed, hashlib.sha256)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("lines", "channels", "why"),
    [
        ("", "", "neither the setting `event_channels` nor the alerts file knows"),
        ("", '[channels]\nwarehause = "https://x.example/"\n', "neither the setting"),
        ("", '[channels]\nwarehouse = "mailtos://a:b@x.example"\n', "no http(s) address"),
        ("", "[channels]\nwarehouse = []\n", "no http(s) address"),
        ('event_channels = ["warehouse"]\nalerts_file = "elsewhere.toml"\n', "", ""),
        ('event_channels = ["warehouse"]\n', "", ""),
        ("", '[channels]\nwarehouse = "https://x.example/"\n', ""),
    ],
)
def test_a_channel_that_leads_nowhere_is_an_error_of_the_declaration(
    tmp_path, lines, channels, why
):
    shop = Shop(tmp_path, orders(**TOLD))
    text = (tmp_path / "pyproject.toml").read_text()
    if channels:
        shop.lead(channels)
    else:
        text = text.replace('alerts_file = "alerts.toml"\n', "")
    (tmp_path / "pyproject.toml").write_text(text + lines)
    settings = load_settings(tmp_path)
    found = list(event_problems([product(settings, "shop.orders")], settings))
    assert [why in one.what for one in found] == ([True] if why else [])


@pytest.mark.parametrize(
    "table",
    [
        "[events.x]\nsecrets = 'A'\n",
        "[events.x]\nsecret = 'whsec_s3cret+/'\n",
        "[events.x]\nunchanged = 3\n",
        "events = 3\n",
    ],
)
def test_a_table_of_events_that_is_wrong_is_an_error_without_a_secret(tmp_path, table):
    shop = Shop(tmp_path, orders())
    shop.lead(table)
    with pytest.raises(SettingsError) as raised:
        read_targets(shop.settings)
    assert "has no valid table [events." in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_table_of_events_for_no_channel_would_leave_the_meant_one_unsigned(tmp_path):
    shop = Shop(tmp_path, orders())
    hook = "https://x.example/h"
    shop.lead(f'[channels]\nwarehouse = "{hook}"\n[events.warehose]\nsecret = "HOOK_KEY"\n')
    with pytest.raises(SettingsError, match=r"\[events.warehose\], and no channel") as raised:
        read_targets(shop.settings)
    assert "warehouse" in str(raised.value)
    assert hook not in str(raised.value)


def test_what_fails_keeps_nobody_else_from_being_told_in_order_once_and_signed(
    tmp_path, monkeypatch, caplog
):
    told = {"settings": a_setting("events", "[ghost, warehouse, audit]")}
    shop = Shop(tmp_path, orders(**told))
    monkeypatch.setenv("HOOK_KEY", SECRET)
    with webhook() as failing, webhook() as beside, webhook() as audit:
        shop.lead(
            f'[channels]\nwarehouse = ["{failing.url}", "{beside.url}"]\naudit = "{audit.url}"\n'
            '[events.warehouse]\nsecret = "HOOK_KEY"\n'
        )
        for n in range(1, 4):
            shop.deliver_and_run(f"id\n{n}\n", **told)
        failing.answers += [400, 400]
        faults = {one.channel: one.fault for one in shop.tick() if one.fault}
        assert faults == {"warehouse": "the server answered 400"}
        assert 'channel "ghost" of shop.orders leads nowhere' in caplog.text
        shop.deliver_and_run("id\n4\n", **told)
        shop.tick()
        assert list(failing) == []
        for one in (beside, audit):
            assert [event["publication"] for event in data(one)] == [1, 2, 3, 4]
        shop.tick()
        shop.tick()
        for one in (failing, beside, audit):
            assert [event["publication"] for event in data(one)] == [1, 2, 3, 4]
        assert failing.url not in caplog.text
        for headers, body in [*failing.raw, *beside.raw]:
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            digest = base64.b64encode(hmac.digest(b"k" * 32, signed, hashlib.sha256)).decode()
            assert headers["webhook-signature"] == f"v1,{digest}"
        assert not any("webhook-signature" in headers for headers, _ in audit.raw)


def test_a_channel_that_does_not_answer_is_waited_for_once_and_not_for_every_product(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("dataops_mesh.watch.channels.TIMEOUT", 1.0)
    told = {"settings": a_setting("events", "[hanging, audit]")}
    shop = Shop(tmp_path, orders(**told))
    names = ["orders", *(f"orders{n}" for n in range(4))]
    for name in names[1:]:
        found = orders(**told)
        contract = found.pop("orders.odcs.yaml").replace("name: orders", f"name: {name}")
        write_product(
            tmp_path,
            "shop",
            name,
            {f"{name}.odcs.yaml": contract, f"{name}.sql": found.pop("orders.sql"), **found},
        )
    with socket.create_server(("127.0.0.1", 0)) as hanging, webhook() as audit:
        port = hanging.getsockname()[1]
        shop.lead(f'[channels]\nhanging = "http://127.0.0.1:{port}/x"\naudit = "{audit.url}"\n')
        for name in names:
            assert run(shop.settings, f"shop.{name}").published
        began = time.monotonic()
        faults = [one for one in tick(shop.settings, *(f"shop.{n}" for n in names)) if one.fault]
        assert time.monotonic() - began < 2.5, "each product waited for it"
        assert [one.channel for one in faults] == ["hanging"] * len(names)
        assert len(audit) == len(names)
