"""A team breaks its declarations at night: the others publish, roll back and look as ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_cases import orders
from helpers import a_product, a_source, write_product, write_workspace

BROKEN_YAML = "apiVersion: v1.1.0\nkind: DataProduct\nid: [\n"


@pytest.fixture
def published(mesh):
    """Both domains are published twice."""
    for _ in range(2):
        assert mesh("run").code == 0


def break_desk(root: Path, text: str = BROKEN_YAML) -> None:
    (root / "domains" / "desk" / "totals" / "product.odps.yaml").write_text(text, "utf-8")


@pytest.mark.parametrize(
    "command",
    [
        ("run", "shop"),
        ("run", "shop.orders"),
        ("check", "shop"),
        ("rollback", "shop.orders", "--reason", "x"),
        ("status", "shop"),
        ("status",),
        ("history", "shop.orders"),
        ("show", "shop.orders"),
        ("incidents",),
        ("monitor", "shop"),
        ("monitor",),
        ("plan", "shop"),
        ("hold", "add", "shop.orders", "--reason", "x"),
        ("store", "gc"),
        ("store", "verify"),
        ("query", "select count(*) from shop.orders"),
        ("domain", "register", "shop"),
        ("withdraw", "desk.totals", "--reason", "x", "--yes"),
    ],
)
def test_a_broken_domain_takes_no_command_from_the_others(published, mesh, workspace, command):
    break_desk(workspace.root)
    said = mesh(*command)
    assert said.code == 0, said


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "command", [("status",), ("incidents",), ("monitor",), ("store", "gc"), ("run", "shop")]
)
def test_what_is_broken_is_named(mesh, workspace, command):
    break_desk(workspace.root)
    said = mesh(*command)
    assert "the declarations of desk.totals cannot be read; everything else goes on" in said.err
    if command[-1] != "shop":
        assert "desk/totals/product.odps.yaml:" in said.err


def test_a_run_of_all_builds_the_others_and_says_that_it_was_not_all(mesh, workspace):
    break_desk(workspace.root)
    said = mesh("run", "--format", "json")
    assert said.code == 2
    assert [(row["product"], row["ended"]) for row in json.loads(said.out)] == [
        ("shop.orders", "published")
    ]
    assert "desk/totals/product.odps.yaml:" in said.err


@pytest.mark.parametrize(
    "command", [("run", "desk"), ("run", "desk.totals"), ("check",), ("plan",), ("check", "desk")]
)
def test_whoever_asks_for_what_is_broken_is_told_and_nothing_runs(mesh, workspace, command):
    break_desk(workspace.root)
    said = mesh(*command)
    assert said.code == (1 if command[0] == "check" else 2)
    assert "desk/totals/product.odps.yaml:" in said.err
    assert not (workspace.root / ".mesh" / "store" / "heads").exists()


def test_a_product_that_cannot_be_read_keeps_its_domain_from_nothing(mesh, workspace):
    other = workspace.root / "domains" / "desk" / "worse"
    other.mkdir()
    (other / "product.odps.yaml").write_text(BROKEN_YAML, "utf-8")
    assert mesh("run", "shop.orders", "desk.totals").code == 0
    assert (
        mesh("rollback", "desk.totals", "--reason", "x").code == 2
    )  # there is no earlier publication
    assert mesh("status", "desk.totals").code == 0
    assert mesh("status", "desk").code == 2


def test_a_domain_with_a_name_that_cannot_be_keeps_only_itself(published, mesh, workspace):
    (workspace.root / "domains" / "Bad-Name").mkdir()
    assert mesh("run", "shop").code == 0
    assert mesh("status").code == 0
    assert mesh("check").code == 1


def test_a_mistake_between_products_keeps_only_its_own_domain(mesh, workspace):
    file = workspace.root / "domains" / "desk" / "totals" / "product.odps.yaml"
    file.write_text(file.read_text("utf-8").replace("shop.orders", "shop.ordres"), "utf-8")
    assert mesh("run", "shop").code == 0
    said = mesh("run", "--format", "json")
    assert said.code == 2
    assert [row["product"] for row in json.loads(said.out)] == ["shop.orders"]
    assert "no product publishes shop.ordres" in said.err
    assert "not built until that is mended: desk." in said.err


def test_a_delivery_that_fits_no_more_keeps_only_its_own_product(mesh, workspace):
    """What a source without a contract has today decides whether a query can be bound."""
    extra = a_product(
        {"extra": ["{name: id, logicalType: integer}"]},
        inputs=[a_source("extra_csv", "extra.csv")],
        files={"extra.sql": "select id from extra_csv", "extra.csv": "other\n1\n"},
    )
    write_product(workspace.root, "shop", "extra", extra)
    said = mesh("run", "--format", "json")
    assert said.code != 0
    assert "not built until that is mended: shop.extra; the rest goes on" in said.err
    assert {row["product"] for row in said.json} == {"shop.orders", "desk.totals"}


def test_a_consumer_of_what_is_broken_is_built_from_what_is_published(published, mesh, workspace):
    file = workspace.root / "domains" / "shop" / "orders" / "product.odps.yaml"
    file.write_text(BROKEN_YAML, "utf-8")
    assert mesh("check", "desk").code == 0
    said = mesh("run", "desk.totals", "--format", "json")
    assert said.code == 0
    assert json.loads(said.out)[0]["ended"] == "published"


def test_what_cannot_be_read_is_not_taken_for_what_was_removed(published, mesh, workspace):
    break_desk(workspace.root)
    said = mesh("status")
    assert "to end" not in said.err
    ended = mesh("withdraw", "--due", "--yes")
    assert ended.code == 2
    assert "desk/totals/product.odps.yaml:" in ended.err
    assert mesh("query", "select n from desk.totals").code == 0


def test_a_check_finds_also_what_is_wrong_with_those_that_can_be_read(mesh, workspace):
    break_desk(workspace.root)
    (workspace.root / "domains" / "shop" / "orders" / "orders.sql").write_text(
        "select nosuch from orders_csv"
    )
    for names in ((), ("shop", "desk")):
        said = mesh("check", *names)
        assert said.code == 1
        assert "desk/totals/product.odps.yaml:" in said.err
        assert "nosuch" in said.err


@pytest.mark.parametrize("broken", ["waivers.yaml", "totals.odcs.yaml", "totals.sql"])
def test_each_file_of_a_team_is_that_teams_own(published, mesh, workspace, broken):
    folder = workspace.root / "domains" / "desk" / "totals"
    (folder / broken).write_bytes("a: [\n".encode("utf-16"))
    assert mesh("check", "shop").code == 0
    assert mesh("run", "shop").code == 0
    assert mesh("status", "shop").code == 0
    said = mesh("run", "--format", "json")
    assert said.code == 2
    assert [row["product"] for row in json.loads(said.out)] == ["shop.orders"]
    assert f"desk/totals/{broken}:1: is not UTF-8 text" in said.err
    assert mesh("run", "desk.totals").code == 2


@pytest.mark.parametrize(
    ("pyproject", "said"),
    [
        ("[tool.dataops_mesh\n", "pyproject.toml:1: "),
        ("[project]\nname = 'x'\n", "no workspace at or above"),
        ("[tool.dataops_mesh]\nnosuch = 1\n", "tool.dataops_mesh.nosuch: unknown setting"),
        ("", "is not the folder of a domain far"),  # a checkout that is not there
    ],
)
def test_a_repository_that_is_joined_and_broken_stops_nobody_else(
    mesh, workspace, tmp_path_factory, pyproject, said
):
    far = tmp_path_factory.mktemp("repository")
    if pyproject:
        write_workspace(far, {"far": {"orders": orders()}})
        (far / "pyproject.toml").write_text(pyproject, "utf-8")
    joined = f'[tool.dataops_mesh.locations.far]\nfolder = "{far}/domains/far"\n'
    with (workspace.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(joined)
    for command in (("check", "shop"), ("run", "shop"), ("status",), ("plan", "shop")):
        assert mesh(*command).code == 0
    whole = mesh("run", "--format", "json")
    assert whole.code == 2
    assert said in whole.err
    assert [row["product"] for row in json.loads(whole.out)] == ["shop.orders", "desk.totals"]
    assert mesh("check").code != 0
    assert said in mesh("run", "far").err


def test_a_plan_goes_on_without_what_cannot_be_read(published, mesh, workspace):
    break_desk(workspace.root)
    said = mesh("plan", "--format", "json")
    assert said.code == 2
    assert json.loads(said.out)["products"] == []  # nothing changed, and nothing is removed
    assert "desk/totals/product.odps.yaml:" in said.err


def test_nobody_is_told_that_the_rest_goes_on_where_nothing_runs(mesh, workspace):
    break_desk(workspace.root)
    said = mesh("run", "shop", "desk")
    assert said.code == 2
    assert "goes on" not in said.err
