"""`mesh run` goes where each domain lives; what fails there is told here."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from two_repositories import Pair, say


def test_a_run_crosses_environments_and_back(pair: Pair):
    library = "import dataops_mesh; print(dataops_mesh.__file__)"
    used = Path(say(pair.reader, pair.python, "-c", library).out.strip())
    assert used.is_relative_to(pair.python.parents[1])  # the wheel, not this checkout
    assert say(pair.seller, sys.executable, "-c", "import only_there").code == 1
    run = pair.mesh("run", "--format", "json")
    assert run.code == 0, run.err
    rows = [(row["product"], row["ended"], row["rows"]) for row in run.json]
    assert rows == [
        ("shop.orders", "published", 2),
        ("desk.totals", "published", 1),
        ("shop.report", "published", 1),
    ]
    assert run.err.index("published as 1") < run.err.index("published as 3")
    assert "published as 2" in run.err
    assert pair.mesh("query", "from shop.report", "--format", "json").json == [{"total": 90}]


def test_the_workspace_file_names_folder_and_interpreter(pair: Pair):
    assert pair.mesh("workspace").code == 0
    text = (pair.seller / "workspace.yaml").read_text("utf-8")
    shop, desk = (entry["python_file"] for entry in yaml.safe_load(text)["load_from"])
    assert shop == {"relative_path": "domains/shop/definitions.py", "location_name": "shop"}
    assert desk["location_name"] == "desk"
    assert desk["executable_path"] == str(pair.python)
    assert (pair.seller / desk["relative_path"]).resolve().is_file()


def test_domains_that_do_not_share_the_store_are_not_run(pair: Pair):
    file = pair.reader / "pyproject.toml"
    file.write_text(file.read_text("utf-8").replace("/store", "/another"), "utf-8")
    run = pair.mesh("run")
    assert run.code == 2
    assert "has another store" in run.err
    assert not (pair.seller.parent / "store").exists()


def test_a_mistake_there_is_told_with_the_way_to_its_file(pair: Pair):
    file = pair.reader / "domains" / "desk" / "totals" / "transform.py"
    file.write_text("def transform(orders):\n    return orders\n", "utf-8")
    check = pair.mesh("check", "desk")
    assert check.code == 1
    assert "../reader/domains/desk/totals/transform.py:1" in check.err
