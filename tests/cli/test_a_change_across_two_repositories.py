"""One repository changes what a delay is; another one, with the same store, reads its flights."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_cases import FAMILY, Said
from helpers import a_product, a_source, an_input, read, run, write_workspace

from dataops_mesh.settings import load_settings
from dataops_mesh.store.line.known import living
from dataops_mesh.store.store import open_store

KEY = "{name: flight, logicalType: integer, primaryKey: true, classification: public}"
DELAY = "{name: delay, logicalType: integer, classification: public}"
ROUTE = "{name: route, logicalType: string, classification: public}"
BY_KEY = ROUTE.replace("string,", "string, primaryKey: true,")
CSV = "flight,route,delay\n1,EWR-ORD,-5\n2,EWR-ORD,15\n3,JFK-LAX,20\n"
OLD = "select flight::bigint as flight, route, delay::bigint as delay from delivered"
NEW = OLD.replace("delay::bigint", "greatest(delay::bigint, 0)")
MEANS = "select route, mean::integer from punctuality.by_route order by route"


def repository(root, name, products, more=""):
    root.mkdir()
    store = root.parent / "store"
    settings = f'store = "{store}"\nrepository = "git.example/{name}"\n{more}'
    write_workspace(root, products, settings=settings)
    for domain in products:
        (root / "domains" / domain / "definitions.py").write_text(FAMILY, "utf-8")
    return root


@pytest.fixture
def two(workspace, tmp_path):
    """Operations, and punctuality elsewhere; both are published in the store that they share."""
    flights = a_product(
        ports={"flights": [KEY, ROUTE, DELAY]},
        inputs=[a_source("delivered", "flights.csv")],
        files={"flights.sql": OLD, "flights.csv": CSV},
    )
    by_route = a_product(
        ports={"by_route": [BY_KEY, "{name: mean, logicalType: number, classification: public}"]},
        inputs=[an_input("operations.flights")],
        files={
            "by_route.sql": "select route, avg(delay) as mean from operations.flights"
            " group by route"
        },
    )
    ours = repository(tmp_path / "ours", "operations", {"operations": {"flights": flights}})
    theirs = repository(tmp_path / "theirs", "analysts", {"punctuality": {"by_route": by_route}})
    assert run(load_settings(ours), "operations.flights").published
    assert run(load_settings(theirs), "punctuality.by_route").published
    return ours, theirs


@pytest.fixture
def at(mesh, monkeypatch):
    """Type a command in one of the repositories."""

    def at_(root: Path, *words: str) -> Said:
        monkeypatch.chdir(root)
        return mesh(*words)

    return at_


def means(root, sandbox="", at=None):
    if not sandbox:
        return dict(read(load_settings(root), MEANS))
    said = at(root, "query", MEANS, "--sandbox", sandbox, "--format", "json")
    return {row["route"]: next(v for k, v in row.items() if k != "route") for row in said.json}


def edit(ours):
    (ours / "domains/operations/flights/flights.sql").write_text(NEW, "utf-8")


def test_each_repository_builds_its_own_in_one_sandbox_and_promotes_it(two, at):
    ours, theirs = two
    before = means(theirs)
    assert before == {"EWR-ORD": 5, "JFK-LAX": 20}
    assert at(theirs, "domain", "register").code == 0
    edit(ours)
    # Whose code is not here is named, with where to test it.
    said = at(ours, "sandbox", "test", "--keep", "early", "--format", "json")
    assert said.code == 0, said.err
    found = {one["product"]: one for one in said.json}
    assert found["operations.flights"]["ended"] == "published"
    assert found["punctuality.by_route"]["ended"] == "elsewhere"
    assert found["punctuality.by_route"]["reasons"] == [
        "mesh sandbox run early punctuality.by_route, in git.example/analysts"
    ]
    assert at(theirs, "sandbox", "run", "early", "punctuality.by_route").code == 0
    assert means(theirs, "early", at) == {"EWR-ORD": 8, "JFK-LAX": 20}
    assert means(theirs) == before

    # What is promoted is promoted by whoever owns it, and only on what is there already.
    said = at(theirs, "sandbox", "promote", "early", "punctuality.by_route")
    assert said.code == 2
    assert "another state of operations.flights than is published there" in said.err
    said = at(ours, "sandbox", "promote", "early")
    assert said.code == 2
    assert "punctuality.by_route is not declared in this workspace" in said.err
    assert means(theirs) == before
    assert at(ours, "sandbox", "promote", "early", "operations.flights").code == 0
    assert at(theirs, "sandbox", "promote", "early", "punctuality.by_route").code == 0
    assert means(theirs) == {"EWR-ORD": 8, "JFK-LAX": 20}

    # Each takes back its own, and holds it.
    said = at(ours, "rollback", "punctuality.by_route", "--reason", "no")
    assert said.code == 2
    for root, name in ((theirs, "punctuality.by_route"), (ours, "operations.flights")):
        assert at(root, "rollback", name, "--reason", "no").code == 0
        held = at(root, "hold", "list", "--format", "json").json
        assert name in {one["product"] for one in held}
    assert means(theirs) == before
    said = at(ours, "sandbox", "promote", "early", "operations.flights")
    assert said.code == 2


def test_a_repository_that_is_joined_is_built_and_compared_too(two, at):
    ours, theirs = two
    place = theirs / "domains" / "punctuality"
    text = (ours / "pyproject.toml").read_text("utf-8")
    joined = f'{text}\n[tool.dataops_mesh.locations.punctuality]\nfolder = "{place}"\n'
    (ours / "pyproject.toml").write_text(joined, "utf-8")
    edit(ours)
    said = at(ours, "sandbox", "test", "--samples", "5", "--format", "json")
    assert said.code == 0, said.err
    found = {one["product"]: one for one in said.json}
    assert found["punctuality.by_route"]["ended"] == "published"
    (port,) = found["punctuality.by_route"]["ports"]
    difference = port["difference"]
    assert (difference["added"], difference["removed"], difference["changed"]) == (0, 0, 1)
    assert difference["keys"] == [{"route": "EWR-ORD"}]
    assert living(open_store(load_settings(ours).store_folder)) == ()
