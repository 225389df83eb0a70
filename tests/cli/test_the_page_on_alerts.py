"""docs/alerts.md: what it declares is read, and what it types says what it shows."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cli_cases import orders
from helpers import a_product, a_source, environment, product, write_product

from dataops_mesh.spec.condition import METRICS
from dataops_mesh.watch.alerts import deliver

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")
TWICE = "id\n1\n1\n"


def block(language: str, first: str) -> str:
    return re.search(rf"```{language}\n({re.escape(first)}.*?)```", PAGE, re.DOTALL)[1]


def refused(mesh, workspace, csv: str = TWICE) -> str:
    """Let the shop be refused; return the incident's name."""
    write_product(workspace.root, "shop", "orders", orders(csv))
    assert mesh("run", "shop.orders").code == 1
    (one,) = mesh("status", "--wrong", "--format", "json").json
    assert one["acknowledged"] is None
    return one["incident"]


def test_what_the_page_types_says_what_it_shows(mesh, workspace):
    line, shown = block("console", "$ mesh incident ack").strip().splitlines()
    name = refused(mesh, workspace)
    answer = mesh(*shlex.split(line.replace("3f9c2a7b10de", name))[2:])
    assert answer.code == 0
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    wanted = re.escape(re.sub(moment, "MOMENT", shown.replace("3f9c2a7b10de", name)))
    assert re.fullmatch(wanted.replace("MOMENT", moment), answer.err.strip())
    taken = mesh("incident", "unack", name, "--reason", "I cannot")
    assert taken.err.strip() == f"{name} (shop.orders) is not acknowledged any more: I cannot"


def test_it_is_seen_wherever_what_is_wrong_is_seen(mesh, workspace):
    name = refused(mesh, workspace)
    said = mesh("incident", "ack", "shop.orders", "--until", "2h", "--reason", "I look")
    assert said.code == 0
    (one,) = mesh("status", "--wrong", "--format", "json").json
    seen = one["acknowledged"]
    assert (seen["person"], seen["reason"]) == ("ana", "I look")
    until = datetime.fromisoformat(seen["until"])
    assert timedelta(minutes=110) < until - datetime.now(UTC) <= timedelta(hours=2)
    assert one["causes"] == []
    assert f"ana until {until:%Y-%m-%d %H:%M} UTC: I look" in " ".join(
        mesh("status", "--wrong").out.split()
    )
    assert "I look" in mesh("show", name).out
    assert mesh("show", name, "--format", "json").json["acknowledged"]["person"] == "ana"
    assert mesh("report", "evidence", "--from", "2020-01-01", "--output", "account").code == 0
    account = "".join(file.read_text("utf-8") for file in Path("account").glob("*.csv"))
    assert "acknowledge" in account
    assert name in account


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("ack", "shop.orders", "--until", "soon"), "is no length of time and no moment"),
        (("ack", "shop.order", "--until", "4h"), 'did you mean "shop.orders"'),
        (("ack", "desk.totals", "--until", "4h"), "nothing is known to be wrong with desk.totals"),
        (("unack", "shop.orders"), "shop.orders is not acknowledged"),
    ],
)
def test_a_mistake_is_answered(mesh, workspace, typed, said):
    refused(mesh, workspace)
    answer = mesh("incident", *typed, "--reason", "x")
    assert answer.code == 2
    assert said in answer.err


def test_what_is_over_cannot_be_acknowledged(mesh, workspace):
    name = refused(mesh, workspace)
    write_product(workspace.root, "shop", "orders", orders("id\n1\n"))
    assert mesh("run", "shop.orders").code == 0
    assert mesh("status", "--wrong").code == 0
    answer = mesh("incident", "ack", name, "--until", "4h", "--reason", "x")
    assert f"{name} is over since" in answer.err


def test_the_declarations_of_the_page_are_read_and_checked(mesh, workspace):
    settings = block("yaml", "- property: conditions")
    support = block("yaml", "# product.odps.yaml: which").partition("\n")[2]
    made = a_product(
        {"orders": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id from csv", "o.csv": "id\n1\n"},
        settings=settings,
        extra=support,
    )
    write_product(workspace.root, "shop", "orders", made)
    found = product(workspace, "shop.orders")
    assert [one.name for one in found.conditions] == ["half_of_yesterday", "slow"]
    assert [one.is_mild for one in found.conditions] == [False, True]
    assert yaml.safe_load(support)["support"]
    listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.partition("| metric |")[2], re.MULTILINE)
    assert dict(listed) == METRICS


def test_a_channel_of_the_escalation_that_nobody_knows_is_told(mesh, workspace):
    text = (workspace.root / "pyproject.toml").read_text("utf-8")
    lines = 'alerts_file = "alerts.toml"\nescalate_after = "1d"\nescalate = ["boss"]\n'
    (workspace.root / "pyproject.toml").write_text(text + lines, "utf-8")
    (workspace.root / "alerts.toml").write_text('[channels]\nlead = "https://x.example/s3cret"\n')
    answer = mesh("check")
    assert answer.code == 1
    assert 'the channel "boss" is not in the alerts file' in answer.out + answer.err
    assert "s3cret" not in answer.out + answer.err
    assert json.dumps("lead")[1:-1] in answer.out + answer.err


def test_the_alert_of_the_page_is_what_people_are_told(mesh, workspace, caplog):
    """The reasons, the promise about what consumers read, who is late and who owns it."""
    title, *lines = block("text", "refused: shop.orders").strip().splitlines()
    assert refused(mesh, workspace, "id\n1\n1\n")
    deliver([product(workspace, "shop.orders")], environment(workspace))
    (told,) = [one.getMessage() for one in caplog.records if one.name == "dataops_mesh.alerts"]
    assert told.splitlines()[0] == title
    assert lines[1] in told
    assert "primary_key" in lines[0]
    assert "primary_key" in told
    assert lines[2].startswith("Late because of it: desk.totals (leo@example.org), ")
