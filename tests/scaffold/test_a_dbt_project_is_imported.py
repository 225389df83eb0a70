"""`mesh import dbt`: what is written is valid, publishes what plain dbt builds, and hides nothing."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import duckdb
import pytest
import yaml
from dbt_import_cases import PROJECT, digests, plain_dbt, write_project
from helpers import environment, product, read, run

from dataops_mesh.cli.main import main
from dataops_mesh.errors import DeclarationError
from dataops_mesh.run.identity import code_version
from dataops_mesh.run.process.client import stop_gate
from dataops_mesh.scaffold.dbt.sources import Around, find_sources
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.release import latest

SECRET = "secret-SEK"  # noqa: S105 - looked for in what is shown and kept
PAGE = (Path(__file__).parents[2] / "docs" / "from-dbt.md").read_text("utf-8")
BLOCK = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)[0]
COMMANDS = [line[2:] for line in BLOCK.splitlines() if line.startswith("$ ")]
ARGUMENTS = ("--env", "CURRENCY", "--target", "dev", "--vars", '{"greeting": "hej"}')


def mesh(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mesh", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace in which the commands of the page were typed, and what the import said.

    It is shared, because dbt takes seconds for each step.
    """
    root, said = tmp_path_factory.mktemp("jaffle"), io.StringIO()
    write_project(root)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.chdir(root)
        patch.setenv("CURRENCY", SECRET)
        stop_gate()  # one that another test left knows nothing of the variable
        before = digests(root)
        for command in COMMANDS:
            words = shlex.split(command)[1:]
            assert mesh(*words, *(ARGUMENTS if words[0] == "import" else ())) == 0, said.getvalue()
        assert digests(root) == before
    return root, said.getvalue()


@pytest.fixture
def settings(ran: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(ran[0])
    monkeypatch.setenv("CURRENCY", SECRET)
    return load_settings(ran[0])


def contract(settings: Settings, port: str) -> dict:
    file = settings.domains_folder / "jaffle" / "jaffle" / f"{port}.odcs.yaml"
    return yaml.safe_load(file.read_text("utf-8"))


def test_every_published_row_is_a_row_of_plain_dbt(settings: Settings, tmp_path: Path) -> None:
    write_project(tmp_path)
    own = {**os.environ, "CURRENCY": SECRET}
    built = plain_dbt(tmp_path, own, "--vars", '{"greeting": "hej"}')
    for port in ("orders", "customers"):
        with duckdb.connect(str(built), read_only=True) as connection:
            relation = connection.execute(f"from {port}")
            names = [column[0] for column in relation.description]
            theirs = sorted(map(str, relation.fetchall()))
        ours = sorted(map(str, read(settings, f"select {', '.join(names)} from jaffle.{port}")))
        assert len(ours) > 1
        assert ours == theirs


def test_the_contract_says_what_the_project_says(settings: Settings) -> None:
    columns = {one["name"]: one for one in contract(settings, "orders")["schema"][0]["properties"]}
    assert columns["order_id"] == {
        "name": "order_id",
        "logicalType": "integer",
        "primaryKey": True,
        "required": True,
        "classification": "internal",
        "description": "The key.",
    }
    assert columns["customer"]["classification"] == "restricted"
    assert columns["customer"]["relationships"] == [{"to": "customers.customer"}]
    assert columns["status"]["enum"] == [{"value": "placed"}, {"value": "returned"}]
    assert "required" not in columns["amount"]  # dbt only warns
    assert columns["exact"]["physicalType"] == "DECIMAL(18,2)"
    assert columns["states"]["items"] == {"logicalType": "string"}
    assert contract(settings, "orders")["description"]["purpose"] == "One row per order."
    team = product(settings, "jaffle.jaffle").team
    assert team is not None
    assert (team.name, team.members[0].username) == ("sales", "ana@example.com")


def test_a_file_that_is_a_source_is_a_product_with_a_contract(settings: Settings) -> None:
    made = product(settings, "jaffle.raw_orders")
    (port,) = made.inputs
    assert port.contract is not None
    assert [column.name for column in port.contract.columns] == ["id", "customer", "day", "status"]
    assert made.description == "One row per order."
    (read_by,) = product(settings, "jaffle.jaffle").inputs
    assert str(read_by.address) == "jaffle.raw_orders"


def test_the_page_says_what_the_command_says(ran: tuple[Path, str]) -> None:
    shown = [line for line in BLOCK.splitlines() if not line.startswith("$")]
    assert len(shown) > 8
    assert [line for line in shown if line not in ran[1].splitlines()] == []


def test_every_dbt_test_is_a_check(settings: Settings) -> None:
    store = environment(settings).store
    (ref,) = {p.candidate for a, p in latest(store).ports.items() if a.port != "raw_orders"}
    manifest = read_manifest(store, ref)
    tests = [check for check in manifest.checks if check.name.startswith("dbt_")]
    assert len(tests) == 8
    assert {check.name for check in tests} <= {result.check for result in manifest.results}


def test_a_project_that_is_the_workspace_does_not_see_the_domains(settings: Settings) -> None:
    seen = read(settings, "select distinct seen, own from jaffle.customers")
    assert seen == [(0, True)]


def test_macros_see_the_graph_of_the_project(settings: Settings) -> None:
    assert read(settings, "select distinct knows_the_graph from jaffle.customers") == [(True,)]


def test_what_is_there_is_not_overwritten(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {f: f.read_bytes() for f in settings.domains_folder.rglob("*") if f.is_file()}
    assert mesh("import", "dbt", ".", *ARGUMENTS) == 2
    said = capfd.readouterr().err
    assert "domains/jaffle/jaffle is there" in said
    assert "--domain" in said
    assert {f: f.read_bytes() for f in settings.domains_folder.rglob("*") if f.is_file()} == before


def test_a_variable_is_another_version_of_the_code_and_is_never_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    one = product(settings, "jaffle.jaffle")
    before = code_version(one)
    assert read(settings, "select distinct currency from jaffle.customers") == [(SECRET,)]
    monkeypatch.setenv("CURRENCY", "NOK")
    assert code_version(one) != before
    monkeypatch.delenv("CURRENCY")
    assert code_version(one) != before
    with pytest.raises(DeclarationError, match="has no CURRENCY"):
        run(settings, "jaffle.jaffle")
    store = environment(settings).store.root
    kept = [f for f in store.rglob("*") if f.is_file() and f.suffix in {".json", ".sqlite"}]
    published = {port.candidate for port in latest(environment(settings).store).ports.values()}
    assert published
    parsed = [file for file in kept if "cache" not in file.parts]
    assert not [file for file in parsed if SECRET.encode() in file.read_bytes()]
    assert SECRET not in "".join(capfd.readouterr())


def test_a_project_sees_no_variable_that_its_product_does_not_declare(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(settings.root / "domains", tmp_path / "domains")
    write_project(tmp_path)
    file = tmp_path / "domains" / "jaffle" / "jaffle" / "product.odps.yaml"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.strip() not in {"env:", "- CURRENCY"}]
    file.write_text("".join(kept), "utf-8")
    monkeypatch.chdir(tmp_path)
    bare = load_settings(tmp_path)
    with pytest.raises(DeclarationError) as raised:
        run(bare, "jaffle.jaffle")
    assert 'env_var("CURRENCY"), which the product does not declare' in str(raised.value)
    assert "env: [CURRENCY]" in str(raised.value)


def test_a_source_that_nobody_can_place_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    sources = "sources: [{name: ecom, schema: raw, tables: [{name: raw_orders}]}]\n"
    write_project(tmp_path, {**PROJECT, "models/staging/sources.yml": sources})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURRENCY", "SEK")
    assert mesh("import", "dbt", ".", *ARGUMENTS) == 2
    said = capfd.readouterr().err
    assert "models/staging/sources.yml:1" in said
    assert "--source ecom.raw_orders=" in said
    assert not (tmp_path / "domains").exists()
    file, port = [
        shlex.split(line)[4:] for line in re.findall(r"mesh import dbt \. --source .*", PAGE)
    ]
    assert mesh("import", "dbt", ".", *ARGUMENTS, *port) == 2
    assert "shop.orders is neither declared here nor published" in capfd.readouterr().err
    around = Around(tmp_path, tmp_path, "jaffle", frozenset())
    node = {"source_name": "ecom", "name": "raw_orders", "original_file_path": "s.yml"}
    found = find_sources([node], dict([file[1].split("=")]), [], around)
    assert found.delivered[0].path == tmp_path / "data" / "raw_orders.csv"
