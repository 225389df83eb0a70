"""The page on state: its products append, merge and keep history as it says."""

from __future__ import annotations

import re
from pathlib import Path

from helpers import a_contract, a_product, a_source, environment, read, run, write_workspace
from typer.testing import CliRunner

from dataops_mesh.cli.main import app
from dataops_mesh.run.look import candidate_facts
from dataops_mesh.store.log import latest

PAGE = (Path(__file__).parents[2] / "docs" / "state.md").read_text("utf-8")
BLOCKS = re.findall(r"```(?:yaml|sql)\n(?:#|--) domains/shop/(\S+)\n(.*?)```", PAGE, re.DOTALL)
FILES = dict(BLOCKS)
VISITS = ["visit, logicalType: integer, primaryKey: true", "page, logicalType: string"]
CUSTOMERS = ["id, logicalType: integer, primaryKey: true", "name, logicalType: string"]
PRICES = ["article, logicalType: string", "price, logicalType: number"]
SELF = "- name: self\n"


def columns(*given: str) -> list[str]:
    return [f"{{name: {one}}}" for one in given]


def shop(root: Path):
    visits = columns(*VISITS, "seen, logicalType: timestamp")
    customers = columns(*CUSTOMERS, "city, logicalType: string")
    prices = columns(
        *PRICES, "valid_from, logicalType: timestamp", "valid_to, logicalType: timestamp"
    )
    products = {
        "visits": {
            "product.odps.yaml": FILES["visits/product.odps.yaml"],
            "visits.odcs.yaml": a_contract("visits", visits),
            "visits.sql": FILES["visits/visits.sql"],
        },
        "customers": a_product(
            {"customers": customers},
            inputs=[a_source("customers_csv", "data/customers.csv"), SELF],
            files={"customers.sql": FILES["customers/customers.sql"]},
        ),
        "prices": a_product(
            {"prices": prices},
            inputs=[a_source("prices_csv", "data/prices.csv"), SELF],
            files={"prices.sql": FILES["prices/prices.sql"]},
        ),
    }
    return write_workspace(root, {"shop": products}, settings='now = "2026-01-01T00:00:00Z"\n')


def deliver(settings, name: str, text: str, now: str = ""):
    file = settings.domains_folder / "shop" / name / "data" / f"{name}.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    if now:
        settings = settings.model_copy(update={"now": now})
    report = run(settings, f"shop.{name}")
    assert report.published, report.decision


def test_the_page_appends_merges_and_keeps_history(tmp_path):
    settings = shop(tmp_path)
    head = "visit,page,seen\n"
    deliver(settings, "visits", head + "1,a,2026-01-01 10:00:00\n2,b,2026-01-01 11:00:00\n")
    deliver(settings, "visits", head + "2,b,2026-01-01 11:00:00\n3,c,2026-01-02 09:00:00\n")
    assert read(settings, "select visit, page from shop.visits order by 1") == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
    ]
    head = "id,name,city,changed\n"
    deliver(settings, "customers", head + "1,Ana,Faro,2026-01-01\n2,Bo,Ulm,2026-01-01\n")
    deliver(settings, "customers", head + "1,Ana,Porto,2026-01-02\n1,Ana,Lyon,2026-01-03\n")
    assert read(settings, "from shop.customers order by 1") == [
        (1, "Ana", "Lyon"),
        (2, "Bo", "Ulm"),
    ]
    head = "article,price\n"
    for price in ("1.5", "1.5", "2.5"):
        deliver(settings, "prices", f"{head}tea,{price}\nmilk,1.0\n")
    found = read(settings, "from shop.prices order by article, price")
    moment = found[0][2]
    assert found == [
        ("milk", 1.0, moment, None),
        ("tea", 1.5, moment, moment),
        ("tea", 2.5, moment, None),
    ]


def test_the_command_of_the_page_begins_again(tmp_path, monkeypatch):
    settings = shop(tmp_path)
    (tmp_path / "domains" / "shop" / "definitions.py").write_text(
        "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
    )
    head = "visit,page,seen\n"
    deliver(settings, "visits", head + "1,a,2026-01-01 10:00:00\n")
    (tmp_path / "domains/shop/visits/data/visits.csv").write_text(head + "2,b,2026-01-02 09:00:00")
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"\$ mesh (run .*--full)", PAGE)
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 0, done.output
    assert read(settings, "select visit from shop.visits") == [(2,)]
    place = environment(settings)
    (entry,) = latest(place.store).ports.values()
    assert candidate_facts(place, entry.candidate)["full"] is True
    shown = CliRunner().invoke(app, ["show", entry.candidate.rpartition("/")[2]])
    assert "what the product itself had published was left out" in shown.output
    refused = CliRunner().invoke(app, ["run", "shop.visits", "--full", "--changed"])
    assert refused.exit_code == 2
