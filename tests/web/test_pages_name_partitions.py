"""Pages say of which day something is, and that the others go on; what is not there is not shown."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from eventful import browser
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    mesh,
    product,
    write_workspace,
)

from dataops_mesh.run.product import run_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.watch.trouble import look

TODAY = datetime.now(UTC).date()
DAYS = [(TODAY - timedelta(days=back)).isoformat() for back in (3, 2, 1)]
COLUMN = (
    "{name: day, logicalType: date, partitioned: true, primaryKey: true, classification: public}"
)
LEVELS = (
    "slaProperties:\n  - {property: frequency, value: 1, unit: d}\n"
    "  - {property: latency, value: 12, unit: h}\n"
)
NAME = "part.days"


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The first of three days was withdrawn, the second refused, the third is published."""
    cut = f"{{cadence: daily, start: '{DAYS[0]}'}}"
    contract = a_contract("days", [COLUMN], extra=LEVELS)
    made = a_product(
        {"days": contract + "customProperties:\n" + a_setting("partitions", cut)},
        inputs=[a_source("src", "'{partition}.csv'")],
        files={
            "days.sql": "select day::date as day from src",
            **{f"{day}.csv": f"day\n{day}\n" for day in DAYS},
            f"{DAYS[1]}.csv": f"day\n{DAYS[1]}\n{DAYS[1]}\n",
        },
    )
    settings = write_workspace(tmp_path_factory.mktemp("pieces"), {"part": {"days": made}})
    place = environment(settings)
    for day in DAYS:
        ran = run_product(product(settings, NAME), place, run_id=day, partition=day)
        assert ran.published == (day != DAYS[1])
    found = mesh(settings).products
    withdraw_product(taking(NAME, place, found, DAYS[0]), place, "wrong", DAYS[0])
    look(found, place, {})
    return browser(settings)


def test_a_refused_day_is_called_refused_and_named(pages):
    facts = json.loads(pages.get(f"/api/products/{NAME}").text)
    assert [(one["kind"], one["subject"]) for one in facts["wrong"]] == [("caught", DAYS[1])]
    text = words(pages.get(f"/products/{NAME}").text)
    assert f"The gate refused the last candidate of {DAYS[1]}." in text
    assert facts["standing"]["word"] == "refused"
    assert "caught" not in text


def test_each_event_says_of_which_day_it_is(pages):
    events = json.loads(pages.get(f"/api/products/{NAME}").text)["events"]
    assert {(one["what"], one["partition"]) for one in events} == {
        ("published", DAYS[0]), ("refused", DAYS[1]), ("published", DAYS[2]),
        ("withdrawal", DAYS[0]),
    }  # fmt: skip
    for path, key in (("/api/mesh", "recent"), ("/api/happened", "happenings")):
        told = json.loads(pages.get(path).text)[key]
        assert {one["partition"] for one in told} == {*DAYS}
    gone = next(one for one in events if one["what"] == "withdrawal")
    assert f"{DAYS[0]} 00:00" not in words(pages.get(f"/publications/{gone['publication']}").text)


def test_its_own_check_of_the_day_is_told_as_what_it_is(pages):
    assert "not declared here any more" not in words(pages.get(f"/products/{NAME}").text)


def test_the_latency_of_a_frequency_is_measured(pages):
    promises = json.loads(pages.get(f"/api/products/{NAME}").text)["promises"]
    assert {one["property"]: one["state"] for one in promises} == {
        "frequency": "kept", "latency": "kept",
    }  # fmt: skip
    assert "at most 36.0 hours" in promises[1]["now"]


@pytest.mark.parametrize(
    "path",
    ["/?page=9999", "/wrong?page=2", "/search?q=a&page=9999", "/domains/part?page=2",
     "/dataops?domain=nope", "/search?domain=nope"],
)  # fmt: skip
def test_what_is_not_there_is_not_shown(pages, path):
    place = path if path[1] != "?" else f"/mesh{path[1:]}"
    assert (pages.get(path).status, pages.get(f"/api{place}").status) == (404, 404)


def test_a_mesh_without_products_is_not_called_well(tmp_path):
    empty = browser(write_workspace(tmp_path, {}))
    for path in ("/", "/search"):
        text = words(empty.get(path).text)
        assert "No product yet" in text
        assert "mesh new product DOMAIN.NAME" in text
        assert "keeps what it promises" not in text
        assert "all of these words" not in text
