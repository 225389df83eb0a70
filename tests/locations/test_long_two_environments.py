"""The same with everything that takes long: refusals, Dagster's own loading, plans, a crash."""

from __future__ import annotations

import json
import sys

from two_repositories import PROJECT, Pair, say


def test_what_is_refused_there_holds_its_readers_here(pair: Pair):
    assert pair.mesh("run").code == 0
    refused = pair.mesh("run", "--format", "json", TRANSFORM_FACTOR="-1")
    assert refused.code == 1
    assert [row["ended"] for row in refused.json] == ["published", "refused", "waiting"]
    assert "the contract says" in refused.err
    assert pair.mesh("query", "from desk.totals", "--format", "json").json == [{"total": 90}]


def test_a_process_that_dies_there_is_said_and_the_next_run_succeeds(pair: Pair):
    died = pair.mesh("run", TRANSFORM_DIES="1")
    assert died.code == 2
    assert "ended by itself with code 9" in died.err
    assert "Traceback" not in died.err
    run = pair.mesh("run", "--format", "json")
    assert [row["ended"] for row in run.json] == ["published"] * 3


def test_dagster_loads_both_environments(pair: Pair):
    assert pair.mesh("workspace").code == 0
    validate = ("-m", "dagster", "definitions", "validate", "-w", "workspace.yaml")
    # Not on the path here: Dagster hands it on, and the wheel must be what is found there.
    ours = {"PYTHONPATH": str(PROJECT)} if not _installed(pair) else {}
    done = say(pair.seller, sys.executable, *validate, **ours)
    assert done.code == 0, done.out + done.err
    said = done.out + done.err
    assert "Validation successful for code location desk" in said
    assert "Validation successful for code location shop" in said


def _installed(pair: Pair) -> bool:
    return say(pair.seller, sys.executable, "-c", "import dataops_mesh").code == 0


def test_a_plan_here_names_the_consumer_there_from_the_registry(pair: Pair):
    settings = pair.seller / "pyproject.toml"
    text = settings.read_text("utf-8").partition("[tool.dataops_mesh.locations")[0]
    assert pair.mesh("run").code == 0
    assert pair.mesh_there("register").code == 0
    settings.write_text(text, "utf-8")  # from here on the seller knows no folder of the reader
    assert pair.mesh("check").code == 0
    contract = pair.seller / "domains" / "shop" / "orders" / "orders.odcs.yaml"
    contract.write_text(contract.read_text("utf-8").replace("amount", "price"), "utf-8")
    query = contract.with_name("orders.sql")
    query.write_text("select id, amount as price, note from orders_csv", "utf-8")
    plan = json.loads(pair.mesh("plan", "--format", "json").out)
    (product,) = plan["products"]
    (consumer,) = product["consumers"]
    assert consumer["reader"] == "desk.totals"
    assert consumer["repository"] == str(pair.reader)
    assert consumer["uses"] == "may use"  # nobody can read what Python does
    assert plan["rebuild"] == ["shop.orders", "shop.report", "desk.totals"]
