"""What a new user types wrong: one clear answer, the right exit code, never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import pytest
from helpers import a_contract, a_product, a_setting, write_product

from dataops_mesh.cli import declarations
from dataops_mesh.cli.main import main

DAY = "{name: day, logicalType: date, primaryKey: true, partitioned: true}"


@pytest.mark.parametrize("command", ["check", "run", "status"])
def test_a_typing_mistake_gets_a_suggestion(mesh, command):
    said = mesh(command, "shop.oders")
    assert (said.code, said.out) == (2, "")
    assert 'no domain or product "shop.oders" (did you mean "shop.orders"?)' in said.err
    assert "valid: desk, shop, desk.totals, shop.orders" in said.err


@pytest.mark.parametrize("command", [("history", "shop"), ("rollback", "shop", "--reason", "x")])
def test_a_command_on_one_product_wants_a_product(mesh, command):
    said = mesh(*command)
    assert said.code == 2
    assert 'no product "shop"' in said.err
    assert "desk.totals, shop.orders" in said.err


@pytest.mark.parametrize("reason", [(), ("--reason", " ")])
def test_a_rollback_says_why_as_a_hold_and_a_withdrawal_do(mesh, reason):
    said = mesh("rollback", "shop.orders", *reason)
    assert said.code == 2
    assert "--reason" in said.err


def test_the_history_of_a_number_names_the_command_that_knows_it(mesh):
    said = mesh("history", "17")
    assert said.code == 2
    assert "mesh show 17" in said.err


def test_all_unknown_names_are_told_at_once(mesh):
    said = mesh("run", "shpo", "dsek")
    assert said.code == 2
    assert '"shpo"' in said.err
    assert '"dsek"' in said.err


def test_an_unknown_command_gets_a_suggestion(mesh):
    said = mesh("stats")
    assert said.code == 2
    assert "status" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--format", "xml"),
        ("history",),
        ("query",),
        ("run", "--colour"),
        ("query", "a", "b"),
    ],
)
def test_a_wrong_call_shows_the_usage(mesh, arguments):
    said = mesh(*arguments)
    assert said.code == 2
    assert said.err.startswith("Usage: mesh ")
    assert said.out == ""


def test_outside_a_workspace_the_answer_says_what_makes_one(mesh, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    for command in (["check"], ["run"], ["status"], ["query", "select 1"], ["workspace"], ["ui"]):
        said = mesh(*command)
        assert said.code == 2
        assert "[tool.dataops_mesh]" in said.err


def test_an_unknown_setting_is_not_ignored(mesh, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_STROE", "elsewhere")
    said = mesh("status")
    assert said.code == 2
    assert 'did you mean "DATAOPS_MESH_STORE"' in said.err


def test_a_setting_that_is_no_value_names_its_line(mesh, workspace):
    file = workspace.root / "pyproject.toml"
    file.write_text(file.read_text("utf-8") + 'memroy_limit = "1GB"\n', "utf-8")
    said = mesh("status")
    assert said.code == 2
    assert "pyproject.toml:5: tool.dataops_mesh.memroy_limit" in said.err


def test_broken_declarations_are_all_listed_and_nothing_runs(mesh, workspace):
    write_product(workspace.root, "shop", "orders", {"orders.sql": "select id from order_csv"})
    write_product(workspace.root, "desk", "totals", {"totals.sql": "selct 1"})
    said = mesh("check")
    assert said.code == 1
    assert "domains/shop/orders/orders.sql:1: " in said.err
    assert "domains/desk/totals/totals.sql:1: " in said.err
    assert said.err.rstrip().endswith("problems")
    refused = mesh("run")
    assert (refused.code, refused.out) == (2, "")
    assert "domains/shop/orders/orders.sql:1: " in refused.err
    assert not (workspace.store_folder / "heads" / "production").exists()


def test_check_for_machines_is_json_and_nothing_else(mesh, workspace):
    write_product(workspace.root, "shop", "orders", {"orders.odcs.yaml": "kind: nonsense\n"})
    said = mesh("check", "--format", "json")
    assert said.code == 1
    assert said.err == ""
    errors = {row["file"] for row in said.json if row["level"] == "error"}
    assert errors == {"domains/shop/orders/orders.odcs.yaml"}
    assert all(row["line"] and row["what"] for row in said.json)


def test_check_without_problems_says_how_much_it_looked_at(mesh):
    said = mesh("check")
    assert (said.code, said.out) == (0, "")
    assert said.err.splitlines()[-1] == "2 products: no problems"
    assert {row["level"] for row in mesh("check", "--format", "json").json} == {"info", "warning"}


def test_a_mesh_that_never_ran_says_so(mesh):
    said = mesh("status", "--format", "json")
    assert said.code == 0
    assert {row["last_ended"] for row in said.json} == {"never"}
    assert mesh("history", "shop.orders").err == "shop.orders never ran\n"
    assert mesh("history", "shop.orders", "--format", "json").json == []


def test_nothing_published_can_be_asked_and_says_so(mesh):
    for said in (
        mesh("query", "from shop.orders"),
        mesh("status"),
        mesh("query", "from shop.orders"),
    ):
        assert said.code in {0, 2}
    assert mesh("query", "from shop.orders").code == 2


def test_there_is_nothing_to_roll_back_to(mesh):
    said = mesh("rollback", "shop.orders", "--reason", "x")
    assert said.code == 2
    assert said.err.startswith("error: ")


def test_a_product_whose_input_was_never_published_says_what_to_run(mesh):
    said = mesh("run", "desk.totals", "--format", "json")
    assert said.code == 1
    assert "has never been published" in said.err
    assert "mesh run shop" in said.err
    assert said.json[0]["ended"] == "failed"


def test_the_ui_needs_a_workspace_file(mesh):
    said = mesh("ui")
    assert said.code == 2
    assert "next:  mesh workspace" in said.err


def test_help_lists_the_commands_and_exit_codes(mesh):
    said = mesh("--help")
    assert said.code == 0
    for command in ("check", "run", "status", "query", "show", "rollback", "workspace", "ui"):
        (line,) = [x for x in said.out.splitlines() if x.startswith(f"│ {command} ")]
        assert "..." not in line
    for panel in ("Write", "Run", "Look", "Decide", "Keep"):
        assert f"─ {panel} ─" in said.out
    assert "Exit codes" in said.out


def test_a_bug_is_one_line_and_its_traceback_is_in_a_file(mesh, monkeypatch):
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("DE89370400440532013000")

    monkeypatch.setattr(declarations, "load_workspace", broken)
    said = mesh("check")
    assert said.code == 3
    assert "DE89370400440532013000" not in said.err
    assert "error: a bug in mesh: ZeroDivisionError at " in said.err
    file = Path(said.err.rsplit(" ", 1)[1].strip())
    assert "ZeroDivisionError" in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0
    file.unlink()


def test_an_interrupt_is_not_a_bug(monkeypatch, capsys, workspace):
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(declarations, "load_workspace", interrupted)
    monkeypatch.setattr(sys, "argv", ["mesh", "check"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert "bug" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("shop.sales", "2020-01-15", "no partition"),
        ("shop.sales", "nonsense", "no partition"),
        ("shop.sales", "2019-12-01", "no partition"),
        ("shop", "2020-04-01", "no partition"),
        ("shop.orders", "2020-01-01", "is published whole and has no partition"),
    ],
)
def test_a_partition_that_there_is_not_is_said_before_anything_runs(
    mesh, workspace, name, key, said
):
    setting = a_setting("partitions", "{cadence: monthly, start: '2020-01-01'}")
    contract = a_contract("sales", [DAY]) + "customProperties:\n" + setting
    sales = a_product({"sales": contract}, files={"sales.sql": "select date '2020-01-01' as day"})
    write_product(workspace.root, "shop", "sales", sales)
    (workspace.root / "pyproject.toml").write_text(
        '[tool.dataops_mesh]\nnow = "2020-03-20T00:00:00Z"\n', "utf-8"
    )
    found = mesh("run", name, "--partition", key)
    assert found.code == 2
    assert said in found.err
    assert "a bug in mesh" not in found.err
    assert not (workspace.root / ".mesh/store/heads/production/00000001.json").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("show", "99999999999999999999"),
        ("show", "\udcff\udcfe"),
        ("show", "../../etc/passwd"),
        ("show", "%"),
        ("show", "_" * 24),
        ("show", ""),
        ("query", "select 1", "--candidate", ""),
        ("query", "select 1", "--candidate", "%"),
        ("query", "select 1", "--release", "9" * 300),
        ("report", "evidence", "--from", "0001-01-01", "--to", "9999-12-31"),
        ("hold", "add", "shop.orders", "--reason", " "),
        ("hold", "lift", "shop.orders", "--reason", ""),
        ("withdraw", "shop.orders", "--reason", "  ", "--yes"),
    ],
    ids=str,
)
def test_odd_arguments_are_mistakes_and_no_bugs(mesh, command):
    assert mesh("run", "shop").code == 0
    said = mesh(*command)
    assert said.code == 2, said
    assert "a bug in mesh" not in said.err
    assert "valid:" not in said.err


def test_a_pattern_that_the_shell_has_opened_is_told(mesh):
    said = mesh("new", "product", "shop.more", "--from", "data/a.csv", "data/b.csv")
    assert said.code == 2
    assert 'a pattern in quotes: --from "data/*.csv"' in said.err
