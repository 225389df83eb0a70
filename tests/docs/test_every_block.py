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
from shown import SHOWN, WIDTH

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
