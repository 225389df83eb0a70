"""Each field of the standards is executed, recorded or refused as the table says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from declared import Workspace

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.standards.schema import standard_schemas
from dataops_mesh.spec.standards.support import Field, State, fields_of, markdown, support
from dataops_mesh.spec.standards.support_table import SECTIONS

ROOT = Path(__file__).parents[2]
ROWS = support()
PRODUCT: dict[str, Any] = {
    "apiVersion": "v1.1.0",
    "kind": "DataProduct",
    "id": "p",
    "inputPorts": [
        {
            "name": "src",
            "customProperties": [
                {"property": "source", "vendor": "dataops_mesh", "value": {"path": "a.csv"}}
            ],
        },
        {"name": "other.things"},
    ],
    "outputPorts": [{"name": "t"}],
}
CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.2.0",
    "kind": "DataContract",
    "id": "c",
    "version": "1.0.0",
    "schema": [
        {
            "name": "t",
            "properties": [
                {"name": "x", "logicalType": "string"},
                {"name": "n", "logicalType": "integer", "partitioned": True},
                {"name": "k", "logicalType": "string", "primaryKey": True},
                {"name": "at", "logicalType": "timestamp"},
            ],
        }
    ],
}
X = ("schema", 0, "properties", 0)
# Where an object of each section stands, and the least that it must have.
PLACES: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "contract": ((), {}),
    "product": ((), {}),
    "description": (("description",), {}),
    "schema object": (("schema", 0), {}),
    "column": (X, {}),
    "map": ((*X, "map"), {k: {"logicalType": "string"} for k in ("key", "value")}),
    "enum value": ((*X, "enum", 0), {"value": "v"}),
    "quality rule": ((*X, "quality", 0), {"metric": "nullValues", "mustBe": 0}),
    "relationship": ((*X, "relationships", 0), {"to": "t.k"}),
    "service level": (("slaProperties", 0), {"property": "frequency", "value": 1, "unit": "d"}),
    "server": (("servers", 0), {"server": "s", "type": "custom"}),
    "team": (("team",), {}),
    "team member": (("team", "members", 0), {"username": "u"}),
    "role": (("roles", 0), {"role": "r"}),
    "support channel": (("support", 0), {"channel": "c", "url": "https://a.test"}),
    "price": (("price",), {}),
    "synonym": (("synonyms", 0), {"synonym": "s"}),
    "context": (("context",), {}),
    "verified statement": (("context", "verifiedStatements", 0), {"question": "q"}),
    "constraint of a context": (("context", "constraints", 0), {"constraint": "c"}),
    "link": (("authoritativeDefinitions", 0), {"url": "https://a.test", "type": "t"}),
    "custom property": (("customProperties", 0), {"property": "p", "value": 1}),
    "input port": (("inputPorts", 1), {}),
    "output port": (("outputPorts", 0), {}),
    "management port": (("managementPorts", 0), {"name": "m", "content": "observability"}),
    "bill of materials": (("outputPorts", 0, "sbom", 0), {}),
    "input contract": (("outputPorts", 0, "inputContracts", 0), {"id": "i", "version": "1.0.0"}),
}
TYPED = {"map": {"key": {"logicalType": "string"}, "value": {"logicalType": "string"}}}
# Values that the sampler cannot know.
SAMPLES = {
    "role": "r", "deprecated": True, "url": "https://a.test", "version": "1.0.0", "tags": ["t"],
    "dateIn": "2026-01-01", "dateOut": "2026-01-01", "contractCreatedTs": "2026-01-01T00:00:00Z",
    "productCreatedTs": "2026-01-01T00:00:00Z", "dimension": "accuracy", "driver": "operational",
    "schedule": "0 6 * * *", "scheduler": "cron", "slaDefaultElement": "x", "logicalType": "object",
    "servers": [{"server": "s", "type": "custom"}],
}  # fmt: skip


def put(document: dict[str, Any], path: tuple[Any, ...], value: dict[str, Any]) -> dict[str, Any]:
    """Make the objects on a path, and return the last with the value in it."""
    owner: Any = document
    for step, following in zip(path, [*path[1:], ""][: len(path)], strict=True):
        if isinstance(step, int):
            while len(owner) <= step:
                owner.append({})
            owner = owner[step]
        else:
            owner = owner.setdefault(step, [] if isinstance(following, int) else {})
    owner |= {key: inner for key, inner in deepcopy(value).items() if key not in owner}
    return owner  # type: ignore[no-any-return]


def document(section: str, standard: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a declaration with an object of the section, and that object."""
    made = deepcopy(CONTRACT if standard == "ODCS" else PRODUCT)
    if section.startswith("options of a "):
        logical = section.removeprefix("options of a ")
        column = put(made, X, {})
        column["logicalType"] = logical
        if logical == "object":
            column["properties"] = [{"name": "a", "logicalType": "string"}]
        least = {"dimensions": 3} if logical == "vector" else {}
        return made, put(made, (*X, "logicalTypeOptions"), least)
    path, least = PLACES[section]
    if section == "map":
        put(made, X, {})["logicalType"] = "map"
    if section == "synonym" and standard == "ODCS":
        path = ("schema", 0, *path)
    return made, put(made, path, least)


def load(root: Path, made: dict[str, Any], standard: str) -> Product | tuple[Problem, ...]:
    texts = {"product.odps.yaml": PRODUCT, "t.odcs.yaml": CONTRACT}
    texts["t.odcs.yaml" if standard == "ODCS" else "product.odps.yaml"] = made
    folder = Workspace(root).folder("shop", "things")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.sql").write_text("select 1 as one")
    for name, data in texts.items():
        (folder / name).write_text(json.dumps(data), "utf-8")
    try:
        return load_product(folder, root)
    except DeclarationError as error:
        return error.problems


def sample(standard: str, section: str, name: str) -> Any:
    """Return a value that the standard's schema accepts for the field."""
    if name in SAMPLES:
        return SAMPLES[name]
    schema = standard_schemas()[standard]
    for found in declared(standard, section, name):
        return made_of(found, schema)
    raise AssertionError(name)


def declared(standard: str, section: str, name: str) -> Iterator[Any]:
    schema = standard_schemas()[standard]
    stack: list[Any] = [schema["$defs"], schema]
    wanted = set(fields_of(standard)[section])
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            own = one.get("properties")
            if isinstance(own, dict) and name in own and own.keys() <= wanted:
                yield own[name]
            stack += one.values()
        elif isinstance(one, list):
            stack += one


def made_of(schema: dict[str, Any], root: dict[str, Any], depth: int = 0) -> Any:
    if "$ref" in schema:
        found: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return made_of(found, root, depth + 1)
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return made_of(schema[key][0], root, depth + 1)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            inside = schema.get("properties", {})
            return {k: made_of(inside[k], root, depth + 1) for k in schema.get("required", ())}
        case "array":
            return [made_of(schema.get("items", {}), root, depth + 1)]
    return {"integer": 1, "number": 1, "boolean": True}.get(kind, "x1")


def checks(product: Product | tuple[Problem, ...]) -> set[Any]:
    assert isinstance(product, Product), product
    nowhere = Location("", 0)
    return {
        replace(check, where=nowhere, description="", dimension=None)
        for check in checks_of(product)
    }


def of(state: State) -> list[Any]:
    return [
        pytest.param(f, id=f"{f.standard}-{f.section}-{f.name}".replace(" ", "_"))
        for f in ROWS
        if f.state is state
    ]


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


INTEGERS = {"minimum": 1, "maximum": 1, "exclusiveMinimum": 1, "exclusiveMaximum": 1}
DATES = dict.fromkeys(INTEGERS, "2026-01-01")
TIMES = dict.fromkeys(INTEGERS, "10:00:00")
CLOCK = {"timezone": True, "defaultTimezone": ("wrong", "Europe/Berlin")}
NUMBERS = {"multipleOf": 2}
OURS = [{"property": "no_such_setting", "vendor": "dataops_mesh", "value": 1}]
FORBIDDEN = ("wrong", OURS)
OPERATORS = {
    "mustNotBe": 1, "mustBeGreaterThan": 1, "mustBeGreaterOrEqualTo": 1, "mustBeLessThan": 1,
    "mustBeLessOrEqualTo": 1, "mustBeBetween": [1, 2], "mustNotBeBetween": [1, 2],
}  # fmt: skip
DOCUMENT = {
    "apiVersion": ("wrong", "v2.2.0"),
    "kind": ("wrong", "Thing"),
    "id": ("product", "other"),
    "version": ("wrong", "latest"),
    "status": ("wrong", "ready"),
    "domain": ("wrong", "elsewhere"),
    "customProperties": FORBIDDEN,
}
CUSTOM = {
    "property": ("wrong", "no_such_setting"),
    "value": ("wrong", "yes"),
    "vendor": ("wrong", "dataops-mesh"),
}
# What a value does that differs from the document without it: another check ("checks"), an error
# ("wrong"), or another product ("product"). A bare value does the first.
PROBES: dict[tuple[str, str], dict[str, Any]] = {
    ("ODCS", "contract"): {
        **DOCUMENT,
        "schema": ("wrong", []),
        "slaProperties": [
            {"property": "freshness", "value": 1, "unit": "d", "element": "at"},
        ],
    },
    ("ODCS", "schema object"): {
        "name": ("wrong", "other"),
        "properties": [{"name": "y", "logicalType": "date"}],
        "relationships": [{"from": "t.x", "to": "t.k"}],
        "quality": [{"metric": "rowCount", "mustBe": 1}],
    },
    ("ODCS", "column"): {
        "name": "y",
        "logicalType": "boolean",
        "physicalType": "UUID",
        "logicalTypeOptions": {"minLength": 1},
        "required": True,
        "unique": True,
        "primaryKey": True,
        "primaryKeyPosition": ("wrong", 1),
        "partitioned": ("product", True),
        "partitionKeyPosition": ("wrong", 1),
        "enum": [{"value": "a"}],
        "relationships": [{"to": "t.k"}],
        "quality": [{"metric": "nullValues", "mustBe": 1}],
        "semanticType": ("wrong", "measure"),
        "classification": ("product", "restricted"),
        "customProperties": FORBIDDEN,
        "properties": ("checks", [{"name": "a", "logicalType": "date"}], {"logicalType": "object"}),
        "items": ("checks", {"logicalType": "date"}, {"logicalType": "array"}),
        "map": ("wrong", {}, {"logicalType": "map"}),
    },
    ("ODCS", "map"): {"key": {"logicalType": "date"}, "value": {"logicalType": "date"}},
    ("ODCS", "options of a string"): {
        "minLength": 1, "maxLength": 1, "pattern": "a", "format": "uuid",
    },
    ("ODCS", "options of a integer"): {**INTEGERS, **NUMBERS, "format": "i8"},
    ("ODCS", "options of a number"): {**INTEGERS, **NUMBERS, "format": "f32"},
    ("ODCS", "options of a date"): {**DATES, "format": ("wrong", "HH:mm")},
    ("ODCS", "options of a timestamp"): {**DATES, **CLOCK, "format": "yyyy-MM-dd"},
    ("ODCS", "options of a time"): {**TIMES, **CLOCK, "format": "HH:mm"},
    ("ODCS", "options of a object"): {
        "maxProperties": ("wrong", 0), "minProperties": ("wrong", 2), "required": ("wrong", ["b"]),
    },
    ("ODCS", "options of a array"): {"maxItems": 1, "minItems": 1, "uniqueItems": True},
    ("ODCS", "options of a vector"): {"dimensions": 4, "elementType": "int8"},
    ("ODCS", "enum value"): {"value": "other"},
    ("ODCS", "quality rule"): {
        "id": "other",
        "name": "other",
        "type": ("wrong", "sql"),
        "metric": "duplicateValues",
        "arguments": ("wrong", {"pattern": "a"}),
        "mustBe": 1,
        **{key: ("checks", value, {"mustBe": None}) for key, value in OPERATORS.items()},
        "unit": "percent",
        "severity": "info",
        "query": ("wrong", "drop table x", {"type": "sql", "metric": None}),
        "engine": ("wrong", "soda", {"type": "custom", "metric": None, "mustBe": None,
                                     "implementation": {"type": "expect_column_to_exist"}}),
        "implementation": (
            "checks",
            {"type": "expect_column_values_to_be_unique"},
            {"type": "custom", "metric": None, "mustBe": None, "engine": "great-expectations"},
        ),
    },
    ("ODCS", "relationship"): {
        "id": "other",
        "type": ("wrong", "parent"),
        "from": ("wrong", "t.y"),
        "to": "t.x",
        "customProperties": FORBIDDEN,
    },
    ("ODCS", "service level"): {
        "property": ("wrong", "speed"),
        "value": ("wrong", -1),
        "unit": ("wrong", "m"),
        "element": ("checks", "at", {"property": "freshness"}),
        "scheduler": ("wrong", "airflow"),
        "schedule": ("wrong", "daily"),
    },
    ("ODCS", "custom property"): {
        key: (*value, {"property": "allowEmpty", "vendor": "dataops_mesh"})
        for key, value in CUSTOM.items()
    },
    ("ODPS", "product"): {
        **DOCUMENT,
        "deprecated": ("product", True),
        "inputPorts": ("wrong", [{"name": "nobody"}]),
        "outputPorts": ("wrong", [{"name": "u"}]),
    },
    ("ODPS", "input port"): {
        "name": ("product", "other.places"),
        "version": ("product", "2.0.0"),
        "contractId": ("product", "i"),
        "customProperties": FORBIDDEN,
    },
    ("ODPS", "output port"): {
        "name": ("wrong", "u"),
        "version": ("wrong", "2.0.0"),
        "contractId": ("wrong", "other"),
        "customProperties": FORBIDDEN,
    },
    ("ODPS", "custom property"): {
        key: (*value, {"property": "transform", "vendor": "dataops_mesh"})
        for key, value in CUSTOM.items()
    },
}  # fmt: skip


def said(product: Product | tuple[Problem, ...]) -> str:
    """Return all that a product is, but its fingerprints."""
    assert isinstance(product, Product), product
    outputs = [
        replace(port, contract=replace(port.contract, fingerprint="")) for port in product.outputs
    ]
    return repr(replace(product, fingerprint="", outputs=tuple(outputs)))


@pytest.mark.parametrize("field", of(State.EXECUTED))
def test_what_is_executed_makes_a_difference(tmp_path: Path, field: Field):
    probe = PROBES[field.standard, field.section][field.name]
    does, value, more = "checks", probe, {}
    if isinstance(probe, tuple):
        does, value, more = probe if len(probe) == 3 else (*probe, {})
    made, owner = document(field.section, field.standard)
    for key, inner in more.items():
        owner.pop(key) if inner is None else owner.update({key: inner})
    before = load(tmp_path, made, field.standard) if does != "wrong" and not more else None
    owner[field.name] = value
    after = load(tmp_path, made, field.standard)
    match does:
        case "wrong":
            assert not isinstance(after, Product)
            assert any(field.name in p.key or field.name in p.what for p in after), after
        case "checks":
            assert checks(after) != (checks(before) if before else set())
        case "product":
            assert before is not None
            assert said(after) != said(before)


def test_every_executed_field_is_probed_and_no_other():
    probed = {(*key, name) for key, fields in PROBES.items() for name in fields}
    assert probed == {
        (row.standard, row.section, row.name) for row in ROWS if row.state is State.EXECUTED
    }
