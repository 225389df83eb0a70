"""A declaration with one object of each section of the standards, to put a field in."""

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
from dataops_mesh.spec.standards.support import State, fields_of, support

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
