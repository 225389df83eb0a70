"""Every block of code in README and docs is run, validated, or here with the reason why not.

A new block fails `test_every_block_is_accounted_for` until it is one of the three.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest
import typer
import yaml
from helpers import a_product, a_source, product, run, write_workspace

import dataops_mesh.spec
from dataops_mesh.cli.main import app
from dataops_mesh.errors import SettingsError
from dataops_mesh.plan.approval import read_approvals
from dataops_mesh.policy.load import load_policies
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.watch.channels import read_targets

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
README, DECLARED = "tests/docs/test_readme.py", "tests/spec/test_the_documentation_is_true.py"
POLICIES = "tests/policy/test_the_page_is_true.py"
SMALLEST = f"{README}::test_the_smallest_product_of_the_readme_runs"
SHORTEST = f"{DECLARED}::test_the_shortest_product_is_real"
WHO = "tests/cli/test_who_did_what_page.py::test_the_page_shows_what_the_commands_say"
REMOVING = "tests/cli/test_the_page_on_removing.py::test_the_commands_of_the_page_do_what_it_says"
DBT = "tests/docs/test_the_page_on_dbt.py"
OTHERS = "tests/docs/test_the_page_on_other_contracts.py"
IMPORT = "tests/scaffold/test_a_dbt_project_is_imported.py"
QUARANTINE = "tests/docs/test_the_page_on_quarantine.py"
MASKS = "tests/docs/test_the_page_on_masks.py"
SHARED = "tests/docs/test_the_page_on_shared.py::test_the_files_of_the_page_make_products_that_are_published"
STATE = "tests/docs/test_the_page_on_state.py"
ELSEWHERE = "tests/docs/test_the_page_on_elsewhere.py"
SANDBOXES = "tests/cli/test_sandboxes.py::test_the_commands_of_the_page_do_what_it_says"
DRAWING = "not run: a drawing"

# (page, first line) -> the test that runs it, or why nothing does.
SHOWN = {
    ("README.md", "product.odps.yaml ─┐                       ┌─────────── the gate ───────────┐"): DRAWING,
    ("README.md", "apiVersion: v1.1.0"): SMALLEST,
    ("README.md", "apiVersion: v3.2.0"): SMALLEST,
    ("README.md", "select carrier, name from airlines_csv"): SMALLEST,
    ("README.md", "from dataops_mesh import load_domain"): SMALLEST,
    ("README.md", "$ mesh run weather.as_delivered"): "tests/examples/test_example_mesh.py::test_the_feed_as_delivered_is_refused_for_its_key_and_its_wind",
    ("README.md", "from dataops_mesh import connect"): f"{README}::test_reading_as_the_readme_shows_it",
    ("ARCHITECTURE.md", "product.odps.yaml + <port>.odcs.yaml + transform         a folder that a domain team owns"): DRAWING,
    ("ARCHITECTURE.md", "cli, serving            what people type; what consumers import"): DRAWING,
    ("ARCHITECTURE.md", "<store>/candidates/<domain>/<product>/<id>/   <port>/part-*.parquet, manifest.json    immutable"): DRAWING,
    ("declarations.md", "apiVersion: v1.1.0"): SHORTEST,
    ("declarations.md", "apiVersion: v3.2.0"): SHORTEST,
    ("declarations.md", "select tailnum as tail_number, seats"): SHORTEST,
    ("declarations.md", 'domains/fleet/aircraft/aircraft.odcs.yaml:11: schema[0].properties[1].logicalType: "integr" is not one of the valid values (did you mean "integer"?)'): f"{DECLARED}::test_the_error_that_is_shown_is_the_error",
    ("declarations.md", "# domains/fleet/aircraft/inputs/aircraft_csv.odcs.yaml"): "tests/exact/test_sources_have_contracts.py::test_the_contract_of_the_page_is_real",
    ("dagster.md", "import dagster as dg"): "tests/docs/test_the_page_on_dagster.py::test_the_definitions_of_the_page_load",
    ("dagster.md", "# defs/orders/defs.yaml"): "tests/factory/test_beside_assets_of_ones_own.py::test_a_file_of_dg_names_what_is_loaded",
    ("dagster.md", "# in domains/shop/orders/product.odps.yaml"): "tests/docs/test_the_page_on_dagster.py::test_the_source_of_the_page_is_read",
    ("elsewhere.md", "$ mesh publish shop.orders --from export/orders.csv"): f"{ELSEWHERE}::test_the_command_of_the_page_says_what_the_page_shows",
    ("elsewhere.md", "15 6 * * *  cd /srv/mesh && mesh publish shop.orders"): f"{ELSEWHERE}::test_what_other_tools_would_type_are_commands_that_exist",
    ("elsewhere.md", "from airflow.providers.standard.operators.bash import BashOperator"): f"{ELSEWHERE}::test_what_other_tools_would_type_are_commands_that_exist",
    ("elsewhere.md", "import duckdb"): f"{ELSEWHERE}::test_any_client_reads_a_domain_and_all_of_them_as_the_page_shows",
    ("elsewhere.md", "from pathlib import Path"): f"{ELSEWHERE}::test_any_client_reads_a_domain_and_all_of_them_as_the_page_shows",
    ("elsewhere.md", "import subprocess"): f"{ELSEWHERE}::test_the_notebook_of_the_page_publishes",
    ("testing.md", "domains/sales/revenue/examples/two_orders_of_one_customer/"): DRAWING,
    ("index.md", "product.odps.yaml ─┐                       ┌─────────── the gate ───────────┐"): DRAWING,
    ("dbt.md", "# domains/books/totals/product.odps.yaml"): f"{DBT}::test_the_project_of_the_page_is_published",
    ("dbt.md", "# project/models/sources.yml"): f"{DBT}::test_the_project_of_the_page_is_published",
    ("dbt.md", 'value: {dbt: {project: ../../../project, select: "totals largest"}}'): f"{DBT}::test_select_says_what_is_built",
    ("dbt.md", "$ mesh run books.totals --full"): "tests/transform/test_dbt_keeps_its_state.py::test_three_runs_a_refusal_and_a_full_refresh_are_those_of_plain_dbt",
    ("other-contracts.md", "quality:"): f"{OTHERS}::test_the_rules_of_the_page_are_executed_or_named",
    ("from-dbt.md", "$ mesh import dbt ."): f"{IMPORT}::test_the_page_says_what_the_command_says",
    ("from-dbt.md", "$ mesh import dbt . --source ecom.raw_orders=data/raw_orders.csv"): f"{IMPORT}::test_a_source_that_nobody_can_place_is_asked_for",
    ("other-contracts.md", "name: basket"): f"{OTHERS}::test_the_column_of_the_page_is_checked_inside",
    ("other-contracts.md", "schema:"): f"{OTHERS}::test_each_object_of_the_page_is_a_port",
    ("partitions.md", "schema:"): f"{README}::test_partitions_are_declared_as_the_page_shows",
    ("policies.md", "default: error                 # of every policy that is not named below; absent: warning"): f"{POLICIES}::test_the_policies_file_of_the_page_holds",
    ("policies.md", "product.outputPorts.all(p, p.contract.schema[0].properties.exists(c, c.primaryKey))"): f"{POLICIES}::test_the_expression_of_the_page_is_kept",
    ("policies.md", "from dataops_mesh.policy.model import Finding, Policy"): f"{POLICIES}::test_the_python_policy_of_the_page_is_one",
    ("policies.md", "select id, ssn as code, sha256(ssn) as person, date_trunc('month', born) as month from people.people"): "tests/policy/test_a_class_follows_its_values.py::test_the_query_of_the_page_is_judged_as_it_says",
    ("shared.md", "shared/columns.odcs.yaml          columns and rules for contracts"): DRAWING,
    ("shared.md", "# shared/columns.odcs.yaml"): SHARED,
    ("shared.md", "# domains/sales/orders/orders.odcs.yaml"): SHARED,
    ("shared.md", "-- shared/money.sql"): SHARED,
    ("shared.md", "-- domains/sales/orders/orders.sql"): SHARED,
    ("shared.md", "# domains/sales/orders_by_region/transform.py"): SHARED,
    ("shared.md", "# domains/sales/shared/regions.py"): SHARED,
    ("state.md", "# domains/shop/visits/product.odps.yaml"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "-- domains/shop/visits/visits.sql"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "-- domains/shop/customers/customers.sql"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "-- domains/shop/prices/prices.sql"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "$ mesh run shop.visits --full"): f"{STATE}::test_the_command_of_the_page_begins_again",
    ("quarantine.md", "schema:"): f"{QUARANTINE}::test_the_contract_of_the_page_sets_aside_what_it_shows",
    ("quarantine.md", "quality:"): f"{QUARANTINE}::test_the_rules_of_the_page_are_read",
    ("quarantine.md", "- property: partitions"): f"{QUARANTINE}::test_the_rules_of_the_page_are_read",
    ("quarantine.md", "$ mesh run shop.orders"): f"{QUARANTINE}::test_the_contract_of_the_page_sets_aside_what_it_shows",
    ("quarantine.md", '$ mesh query "from shop__quarantine.orders" --candidate 20261126T010924Z-ac0d8693'): f"{QUARANTINE}::test_the_contract_of_the_page_sets_aside_what_it_shows",
    ("masks.md", "schema:"): f"{MASKS}::test_the_contract_of_the_page_masks_what_it_shows",
    ("masks.md", '$ export MESH_SECRET_PASSENGERS="a long text that nobody guesses"'): f"{MASKS}::test_the_contract_of_the_page_masks_what_it_shows",
    ("security.md", "quality:"): "tests/factory/test_no_answer_of_a_rule_is_shown.py::test_the_rule_of_the_page_says_what_it_says",
    ("production.md", "{"): "tests/watch/test_events_reach_services.py::test_ten_partitions_published_before_anybody_looked_are_ten_events",
    ("who-did-what.md", "$ mesh show 2"): WHO,
    ("who-did-what.md", "$ mesh show 1 --down"): WHO,
    ("who-did-what.md", '$ mesh query "from shop.orders" --candidate 20261126T010924Z-ac0d8693'): WHO,
    ("who-did-what.md", "$ mesh report evidence --from 2026-10-01 --to 2026-12-31"): WHO,
    ("removing.md", '$ mesh rollback shop.orders --reason "wrong prices"'): REMOVING,
    ("removing.md", "$ mesh hold list"): REMOVING,
    ("removing.md", '$ mesh withdraw shop.orders --reason "the contract with the supplier ended"'): REMOVING,
    ("removing.md", '$ mesh hold lift shop.orders --reason "they signed again"'): REMOVING,
    ("removing.md", '$ mesh hold lift shop.orders --reason "the source was mended"'): REMOVING,
    ("removing.md", '$ mesh hold add shop.orders --reason "the auditor reads it until Friday"'): REMOVING,
    ("removing.md", "$ mesh status                           # says what is to end"): REMOVING,
    ("removing.md", "$ mesh withdraw shop.orders --due       # exit 2"): REMOVING,
    ("sandboxes.md", '$ mesh sandbox up late --reason "count late orders too"'): SANDBOXES,
    ("sandboxes.md", "export DATAOPS_MESH_SANDBOX=late"): "tests/cli/test_sandboxes.py::test_a_sandbox_that_is_gone_is_never_production",
    ("sandboxes.md", "$ mesh sandbox test"): "tests/cli/test_impact_of_a_change.py::test_the_change_and_all_that_reads_it_are_built_and_compared",
    ("sandboxes.md", '$ mesh sandbox promote late --reason "agreed with the desk"'): "tests/cli/test_promoting.py::test_what_was_tried_is_published_without_being_built_again",
    ("sandboxes.md", "$ mesh sandbox up again --from late"): "tests/cli/test_sandboxes.py::test_a_sandbox_begins_where_somebody_says",
    ("sandboxes.md", "<store>/heads/sandboxes/late~4f1c09a7b2d3/58.json   its releases, as production has its own"): DRAWING,
    ("metrics.md", 'mesh_runs_total{domain="fleet",outcome="published",product="aircraft"} 41.0'): "tests/web/test_prometheus_reads_it.py::test_counters_count_what_is_on_record",
    ("policies.md", "waivers:"): f"{POLICIES}::test_the_waiver_of_the_page_is_valid",
}  # fmt: skip
WIDTH = 40  # of a first line: the start tells one from another, the rest may be reworded
SHOWN = {(page, line[:WIDTH]): entry for (page, line), entry in SHOWN.items()}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    text: str

    @property
    def first(self) -> str:
        return next(iter(self.text.strip().splitlines()), "").strip()[:WIDTH]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for one in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE):
            line = text[: one.start()].count("\n") + 1
            found.append(Block(page.name, line, one[2], dedent(one[3])))
    return found


BLOCKS = blocks()
# tests/docs/test_the_tutorial.py types every line of these.
TYPED = {("start.md", "console"), ("testing.md", "console"), ("testing.md", "python")}
UNTOLD = [
    block
    for block in BLOCKS
    if (block.page, block.first) not in SHOWN and (block.page, block.language) not in TYPED
]


def test_no_entry_is_left_of_a_block_that_is_gone():
    assert set(SHOWN) - {(block.page, block.first) for block in BLOCKS} == set()


@pytest.mark.parametrize("entry", sorted({e for e in SHOWN.values() if "::" in e}))
def test_the_test_that_runs_a_block_exists(entry: str):
    file, _, name = entry.partition("::")
    assert f"def {name}(" in (REPOSITORY / file).read_text("utf-8")


@pytest.mark.parametrize("block", UNTOLD, ids=str)
def test_every_block_is_accounted_for(block: Block, tmp_path: Path):
    """Validate the block by what it is; what is none of these needs an entry in SHOWN."""
    checker = CHECKERS.get(block.language)
    assert checker is not None, f"{block}: run it in a test and name that in SHOWN, or say why not"
    checker(block, tmp_path)


def _commands(block: Block, _: Path) -> None:
    """Lines that somebody types: `mesh` with options that exist, targets of make, pip."""
    known = typer.main.get_command(app).commands
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    lines = [line.partition("#")[0].strip() for line in block.text.splitlines()]
    assert any(lines), block
    for line in filter(None, lines):
        words = shlex.split(line.removeprefix("$ "))
        program, *rest = [word for word in words if not re.fullmatch(r"[A-Z_]+=\S*", word)]
        match Path(program).name:
            case "mesh":
                command = known[rest[0]]
                if isinstance(inner := getattr(command, "commands", None), dict):
                    command, rest = inner[rest[1]], rest[1:]
                options = {o for p in command.params for o in p.opts}
                assert {w for w in rest[1:] if w.startswith("--")} <= options, line
            case "make":
                targets = [word for word in rest if "=" not in word]
                assert all(f"\n{target}:" in makefile for target in targets), line
            case "pytest" | "git" | "python" | "pip" | "cd":
                pass
            case _:
                raise AssertionError(f"{block}: {line}")


def _toml(block: Block, root: Path) -> None:
    """Settings of the workspace are loaded; what is not is a file of alert channels."""
    data = tomllib.loads(block.text)
    if "tool" in data:
        (root / "pyproject.toml").write_text(block.text, "utf-8")
        assert load_settings(root).root == root
        return
    (root / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    (root / "alerts.toml").write_text(block.text, "utf-8")
    assert read_targets(load_settings(root, alerts_file=root / "alerts.toml"))


def _yaml(block: Block, root: Path) -> None:
    data = yaml.safe_load(block.text)
    if isinstance(data, list) and all("property" in entry for entry in data):
        _our_settings(data)
    elif "digest" in data:
        _approval(block, root)
    elif "relationships" in data or "slaProperties" in data:
        _part_of_contract(block, data)
    elif set(data) <= {"default", "rules", "waivers", "organisation"}:
        (root / "policies.yaml").write_text(block.text, "utf-8")
        load_policies(root / "policies.yaml", root)
    elif "consumer" in data:
        _pact(block, root)
    else:
        raise AssertionError(f"{block}: say in SHOWN which test runs it")


def _our_settings(entries: list[dict]) -> None:
    """Entries of customProperties are what the schema of our settings says, somewhere."""
    file = (
        Path(dataops_mesh.spec.__file__).parent
        / "standards"
        / "schemas"
        / "dataops_mesh.schema.json"
    )
    schema = json.loads(file.read_text("utf-8"))
    for entry in entries:
        assert entry["vendor"] == "dataops_mesh"
        places = [
            d for d in schema["$defs"].values() if entry["property"] in d.get("properties", {})
        ]
        assert places, entry
        value = {entry["property"]: entry["value"]}
        assert any(_valid(value, {**place, "$defs": schema["$defs"]}) for place in places)


def _valid(value: dict, schema: dict) -> bool:
    return jsonschema.Draft201909Validator({**schema, "required": []}).is_valid(value)


def _a_shop(root: Path, **files: str) -> Settings:
    orders = a_product(
        {"orders": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n", **files},
    )
    return write_workspace(root, {"shop": {"orders": orders}})


def _approval(block: Block, root: Path) -> None:
    digest = yaml.safe_load(block.text)["digest"]
    settings = _a_shop(root, **{f"approvals/{digest}.yaml": block.text})
    (one,) = read_approvals(product(settings, "shop.orders"))
    assert one.digest == digest


def _part_of_contract(block: Block, data: dict) -> None:
    from open_data_contract_standard.model import OpenDataContractStandard

    head = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "x", "version": "1.0.0"}
    part = data if "slaProperties" in data else {"schema": [{"name": "x", **data}]}
    assert OpenDataContractStandard(**{**head, "status": "active", **part})


def _pact(block: Block, root: Path) -> None:
    consumer = yaml.safe_load(block.text)["consumer"]
    settings = _a_shop(root, **{f"accepted/{consumer}.yaml": block.text})
    report = run(settings, "shop.orders")
    name = f"for_{consumer.replace('.', '_')}_"
    assert any(name in reason for reason in report.decision.reasons)  # one row, three expected


def _json(block: Block, _: Path) -> None:
    found = json.loads(block.text)
    for name in found["yaml.schemas"]:  # those that `mesh schema` writes
        assert name.startswith("./.mesh/schemas/")


CHECKERS = {"": _commands, "sh": _commands, "console": _commands, "toml": _toml, "yaml": _yaml, "json": _json}  # fmt: skip


def test_a_setting_that_does_not_exist_would_be_found(tmp_path: Path):
    wrong = Block("x", 1, "toml", "[tool.dataops_mesh.locations.a]\npyton = 'x'\n")
    with pytest.raises(SettingsError, match=r"locations\.a\.pyton"):
        _toml(wrong, tmp_path)
