"""Each field of the standards is in the table; what it records or refuses, we do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support_cases import ROWS, checks, document, load, made_of, of, sample

from dataops_mesh.spec.model import Product
from dataops_mesh.spec.standards.schema import standard_schemas
from dataops_mesh.spec.standards.support import Field, State, fields_of, markdown
from dataops_mesh.spec.standards.support_table import SECTIONS

ROOT = Path(__file__).parents[3]


def test_the_page_is_the_table():
    page = (ROOT / "docs" / "odcs-support.md").read_text("utf-8")
    assert page == markdown(), "run python -m dataops_mesh.spec.standards.support"


def test_no_field_of_a_standard_is_left_out():
    for standard, schema in standard_schemas().items():
        known = [set(names) for names in fields_of(standard).values()]
        stack: list[Any] = [schema]
        seen = 0
        while stack:
            one = stack.pop()
            if isinstance(one, dict):
                own = one.get("properties")
                if isinstance(own, dict) and all(isinstance(v, dict) for v in own.values()):
                    seen += 1
                    assert any(own.keys() <= names for names in known), sorted(own)
                stack += [value for key, value in one.items() if key != "if"]
            elif isinstance(one, list):
                stack += one
        assert seen > 15


def test_no_row_says_more_than_one_thing():
    keys = [(row.standard, row.section, row.name) for row in ROWS]
    assert len(set(keys)) == len(keys) > 380
    assert SECTIONS.keys() == {"ODCS", "ODPS"}


@pytest.mark.parametrize("field", of(State.RECORDED))
def test_what_is_recorded_loads_and_checks_nothing(tmp_path: Path, field: Field):
    if field.section == "server":
        return  # its fields depend on its type: see the next test
    made, owner = document(field.section, field.standard)
    before = checks(load(tmp_path, made, field.standard))
    owner[field.name] = sample(field.standard, field.section, field.name)
    assert checks(load(tmp_path, made, field.standard)) == before


def kinds() -> dict[str, dict[str, Any]]:
    """Return the kinds of server with all their fields."""
    schema = standard_schemas()["ODCS"]
    found = {}
    for branch in schema["$defs"]["Server"]["allOf"]:
        source: Any = schema
        for part in branch["then"]["$ref"].removeprefix("#/").split("/"):
            source = source[part]
        condition = json.dumps(branch["if"])
        kind = condition.split('"const": "')[1].split('"')[0]
        values = {name: made_of(inside, schema) for name, inside in source["properties"].items()}
        found[kind] = {"server": "s", "type": kind, **values}
    return found


def test_every_kind_of_server_is_recorded(tmp_path: Path):
    made, _ = document("contract", "ODCS")
    before = checks(load(tmp_path, made, "ODCS"))
    servers = kinds()
    assert len(servers) > 30
    assert {name for one in servers.values() for name in one} <= set(fields_of("ODCS")["server"])
    made["servers"] = list(servers.values())
    assert checks(load(tmp_path, made, "ODCS")) == before


@pytest.mark.parametrize("field", of(State.REFUSED))
def test_what_is_refused_is_refused_by_its_name(tmp_path: Path, field: Field):
    made, owner = document(field.section, field.standard)
    owner[field.name] = sample(field.standard, field.section, field.name)
    found = load(tmp_path, made, field.standard)
    assert not isinstance(found, Product)
    named = [p for p in found if p.key.endswith(field.name)]
    assert named, found
    assert all("not supported yet" in p.what for p in named)
