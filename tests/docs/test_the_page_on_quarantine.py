"""The page on quarantine: its contract sets aside what it shows, by the names that it shows."""

from __future__ import annotations

import re
from pathlib import Path

from helpers import a_product, a_source, environment, product, run, write_workspace

from dataops_mesh.run.peek import open_candidate
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.store.manifest import read_manifest

PAGE = (Path(__file__).parents[2] / "docs" / "quarantine.md").read_text("utf-8")
SCHEMA, QUALITY, PARTITIONS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: urn:x\nversion: 1.0.0\n"


def rows(number: int) -> str:
    wrong = {7: "", 9: "-5"}
    lines = (f"{n},{wrong.get(n, n)}\n" for n in range(1, number + 1))
    return "id,amount\n" + "".join(lines)


def orders(number: int) -> dict[str, str | bytes]:
    return a_product(
        {"orders": HEAD + SCHEMA},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": "select id, amount::double as amount from orders_csv",
            "orders.csv": rows(number),
        },
    )


def test_the_contract_of_the_page_sets_aside_what_it_shows(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(40)}})
    report = run(settings, "shop.orders")
    assert report.published
    shown = re.search(r"shop.orders  published +1 +(\d+) +(\d+) +(\d+)", PAGE)
    assert shown
    assert [int(n) for n in shown.groups()] == [report.rows, report.set_aside, len(report.results)]
    place = environment(settings)
    manifest = read_manifest(place.store, report.candidate)
    (query,) = re.findall(r'mesh query "(.*?)"', PAGE)
    with open_candidate(product(settings, "shop.orders"), manifest, place) as looking:
        found = looking.execute(f"{query} order by id").fetchall()
    assert found == [(7, None, ["amount_required"]), (9, -5.0, ["amount_range"])]
    for number, cells, *_ in found:
        assert re.search(
            rf"^ {number} +{'' if cells is None else cells} +\['amount_", PAGE, re.MULTILINE
        )


def test_the_rules_of_the_page_are_read(tmp_path):
    columns = (
        "schema:\n  - name: trips\n    properties:\n"
        "      - {name: departed, logicalType: timestamp}\n"
        "      - {name: arrived, logicalType: timestamp}\n"
        "      - {name: day, logicalType: date, partitioned: true}\n"
    )
    rules = "".join(f"    {line}\n" for line in QUALITY.splitlines())
    contract = HEAD + columns + rules + "customProperties:\n" + PARTITIONS
    made = a_product({"trips": contract}, files={"trips.sql": "select 1"})
    found = checks_of(product(write_workspace(tmp_path, {"shop": {"trips": made}}), "shop.trips"))
    assert {
        one.name: str(one.threshold) for one in found if one.name.startswith("quarantine_")
    } == {
        "quarantine_it_arrives_after_it_left": "mustBeLessOrEqualTo 100",
        "quarantine_in_partition": "mustBeLessOrEqualTo 0.5 percent",
    }
