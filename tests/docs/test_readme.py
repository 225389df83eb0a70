"""What README and docs show is run here: a page that lies fails."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from helpers import a_contract, a_product, a_source, product, read, run, write_workspace

from dataops_mesh.cli.main import app
from dataops_mesh.settings import Settings

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
README = PAGES[0].read_text("utf-8")


def block_after(heading, text=README):
    """Return the first code block after a line that is exactly the heading."""
    return re.search(rf"^{re.escape(heading)}\n+```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[
        1
    ]


def minimal(root):
    """Write the product of README, letter by letter, into a new workspace."""
    (root / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    folder = root / "domains" / "network" / "airlines"
    folder.mkdir(parents=True)
    for name in ("product.odps.yaml", "airlines.odcs.yaml", "airlines.sql"):
        (folder / name).write_text(block_after(f"`{name}`"), "utf-8")
    definitions = block_after("and, once per domain, `definitions.py`:")
    (folder.parent / "definitions.py").write_text(definitions, "utf-8")


def test_the_smallest_product_of_the_readme_runs(tmp_path):
    minimal(tmp_path)
    commands = re.search(r"^Then (`mesh .*?)\. Everything", README, re.MULTILINE)[1]
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_", "DAGSTER_"))}
    variables = {"PYTHONPATH": str(REPOSITORY), "DAGSTER_DISABLE_TELEMETRY": "1"}
    for command in re.findall(r"`mesh (.*?)`", commands):
        done = subprocess.run(
            [sys.executable, "-m", "dataops_mesh.cli.main", *shlex.split(command)],
            cwd=tmp_path,
            env=outside | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
    assert "Endeavor Air Inc." in done.stdout
    assert len(done.stdout.splitlines()) == 17


def test_the_smallest_product_stays_small():
    files = ("product.odps.yaml", "airlines.odcs.yaml", "airlines.sql")
    assert sum(len(block_after(f"`{name}`").splitlines()) for name in files) <= 24


def test_reading_as_the_readme_shows_it(tmp_path, monkeypatch):
    columns = [
        "{name: id, logicalType: integer, primaryKey: true}",
        "{name: origin, logicalType: string}",
    ]
    flights = a_product(
        ports={"flights": columns},
        inputs=[a_source("flights_csv", "flights.csv")],
        files={
            "flights.sql": "select id::bigint as id, origin from flights_csv",
            "flights.csv": "id,origin\n1,JFK\n2,JFK\n",
        },
    )
    settings = write_workspace(tmp_path, {"operations": {"flights": flights}})
    assert run(settings, "operations.flights").published
    monkeypatch.chdir(tmp_path)
    code = block_after("## Reading published data")
    namespace = {}
    exec(compile(code, "README.md", "exec"), namespace)  # noqa: S102 - it is the documentation
    assert namespace["rows"] == [("JFK", 2)]


def test_any_duckdb_client_can_open_the_catalog(tmp_path):
    import duckdb

    assert "`.mesh/store/catalogs/<domain>.duckdb`" in README
    orders = a_product(
        ports={"orders": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id::bigint as id from orders_csv", "orders.csv": "id\n1\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders}})
    run(settings, "shop.orders")
    with duckdb.connect(
        str(tmp_path / ".mesh/store/catalogs/shop.duckdb"), read_only=True
    ) as client:
        assert client.execute("select * from shop.orders").fetchall() == [(1,)]


def test_partitions_are_declared_as_the_page_shows(tmp_path):
    page = (REPOSITORY / "docs" / "partitions.md").read_text("utf-8")
    block = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1]
    head = a_contract("flights", [], extra="").partition("schema:")[0]
    flights = a_product(
        ports={"flights": head + block},
        inputs=[a_source("flights_csv", "flights.csv")],
        files={
            "flights.sql": "select day as flight_date from flights_csv"
            " where day >= partition_start() and day < partition_end()",
            "flights.csv": "day\n2013-01-05\n2013-02-05\n",
        },
    )
    settings = write_workspace(tmp_path, {"operations": {"flights": flights}})
    declared = product(settings, "operations.flights")
    assert declared.partitioning is not None
    assert read is not None


def test_every_setting_is_in_the_readme():
    section = README.partition("## Settings")[2].partition("\n## ")[0]
    assert [n for n in Settings.model_fields if n != "root" and f"`{n}`" not in section] == []


def commands_shown():
    """Return every `mesh ...` command of every page, as somebody would copy it."""
    for page in PAGES:
        text = page.read_text("utf-8")
        found = re.findall(
            r"`mesh ([^`\n]+)`|^\s*(?:\$ |\.venv/bin/)?mesh ([^\n#]+)", text, re.MULTILINE
        )
        for inline, line in found:
            yield page.name, (inline or line).strip()


@pytest.mark.parametrize(("page", "command"), sorted(set(commands_shown())))
def test_every_command_that_is_shown_exists_with_its_options(page, command):
    found, rest = typer.main.get_command(app), shlex.split(command)
    while hasattr(found, "commands") and rest:
        assert rest[0] in found.commands
        found = found.commands[rest.pop(0)]
    options = {o for p in found.params for o in p.opts}
    assert {word for word in rest if word.startswith("--")} <= options


def test_every_link_of_the_pages_leads_somewhere():
    broken = [
        (page.name, link)
        for page in [*PAGES, REPOSITORY / "ARCHITECTURE.md"]
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []


def test_every_file_that_the_architecture_names_exists():
    text = (REPOSITORY / "ARCHITECTURE.md").read_text("utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+\w+\.py)`", text))
    missing = {
        name
        for name in named
        if not (REPOSITORY / name).exists() and not (REPOSITORY / "dataops_mesh" / name).exists()
    }
    assert named
    assert missing == set()
