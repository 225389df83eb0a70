"""What the page on other tools shows is run; of the two tools that are not installed it is read."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
import typer
from helpers import a_product, a_source, read, run, write_workspace

from dataops_mesh.cli.main import app, main
from dataops_mesh.settings import Settings

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "elsewhere.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
CODE = [text for language, text in BLOCKS if language == "python"]
COLUMNS = ["{name: order_id, logicalType: integer, primaryKey: true}",
           "{name: amount, logicalType: number, physicalType: DOUBLE}"]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = a_product(
        {"orders": COLUMNS}, inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select order_id, amount from orders_csv"},
    )  # fmt: skip
    found = write_workspace(tmp_path, {"shop": {"orders": made}})
    monkeypatch.chdir(tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / ".mesh" / "dagster"))
    return found


def test_the_notebook_of_the_page_publishes(settings: Settings):
    (code,) = [text for text in CODE if "pandas" in text]
    exec(compile(code, "elsewhere.md", "exec"), {})  # noqa: S102 - the reader's own code
    rows = read(settings, "select order_id, amount from shop.orders order by 1")
    assert rows == [(1, 19.9), (2, 5.0)]


def test_any_client_reads_a_domain_and_all_of_them_as_the_page_shows(
    settings: Settings, capfd: pytest.CaptureFixture[str]
):
    (settings.root / "domains/shop/orders/orders.csv").write_text(
        "order_id,amount\n7,1.5\n", "utf-8"
    )
    run(settings, "shop.orders")
    codes = [text for text in CODE if "/catalogs/" in text]
    assert len(codes) == 2
    for code in codes:
        exec(compile(code, "elsewhere.md", "exec"), {})  # noqa: S102 - the reader's own code
    said = capfd.readouterr().out
    assert "7" in said
    assert "count_star()" in said


def test_the_command_of_the_page_says_what_the_page_shows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    (settings.root / "export").mkdir()
    (settings.root / "export" / "orders.csv").write_text("order_id,amount\n1,1.5\n", "utf-8")
    (shown,) = [text for language, text in BLOCKS if language == "console"]
    command, head, row = shown.splitlines()
    monkeypatch.setattr(sys, "argv", shlex.split(command.removeprefix("$ ")))
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == head.split()
    assert lines[1].split()[:-1] == row.split()[:-1]


def test_what_other_tools_would_type_are_commands_that_exist():
    commands = re.findall(r'mesh publish ([^"|\n]*)', PAGE)
    options = {o for p in typer.main.get_command(app).commands["publish"].params for o in p.opts}
    assert len(commands) == 3  # the command of the page, cron, Airflow
    for command in commands:
        assert {word for word in command.split() if word.startswith("--")} <= options
    for code in CODE:
        compile(code, "elsewhere.md", "exec")
