"""A dbt model as a contract: its columns from the database, the rest from its schema.yml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.scaffold.columns import property_of
from dataops_mesh.scaffold.documents import contract
from dataops_mesh.scaffold.guess import by_name
from dataops_mesh.scaffold.text import CONFIRM
from dataops_mesh.spec.classes import CLASSES

Node = Mapping[str, Any]
_ORDER = (
    *("name", "logicalType", "physicalType", "logicalTypeOptions", "items", "map", "properties"),
    *("primaryKey", "required", "unique", "classification", "enum", "relationships"),
    "description",
)
_CLASSES = frozenset({*CLASSES, "sensitive"})
_PERSONAL = ("contains_pii", "pii", "is_pii")


def contract_of(
    domain: str, port: str, columns: Sequence[tuple[str, str]], ports: Mapping[str, Node],
    manifest: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return the contract of a port.

    Args:
        domain: the product's.
        port: its name; its model is in `ports`.
        columns: names and DuckDB's types, as they were built.
        ports: the models of all ports of the product.
        manifest: dbt's, with the tests.

    Raises:
        DeclarationError: columns that no contract can say.
    """
    node = ports[port]
    tests = _tests(node, manifest)
    described = {str(name).lower(): entry for name, entry in node.get("columns", {}).items()}
    made, wrong = [], []
    for name, type_ in columns:
        found = property_of(name, type_)
        if found is None:
            wrong.append(f'"{name}" ({type_})')
            continue
        entry = described.get(name.lower(), {})
        own = [test for test in tests if test["column_name"].lower() == name.lower()]
        guess = {"classification": by_name(name.lower()) + CONFIRM}
        made.append({**found, **guess, **_said(entry), **_promised(found, own, entry, node, ports)})
    if wrong:
        where = Location(str(node["original_file_path"]), 1)
        what = f"no contract can say the columns {', '.join(wrong)} of {port}"
        then = "rename or cast them, or name the other ports with --port"
        raise DeclarationError(Problem(what, where, next=then))
    return contract(domain, port, _one_key(made), about=_text(node.get("description")))


def team_of(ports: Mapping[str, Node], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the team that owns the models: their group's owner, or the owner in their meta."""
    groups = {str(g["name"]): g for g in manifest.get("groups", {}).values()}
    for node in ports.values():
        group = groups.get(str(node.get("group") or ""))
        if group is not None:
            owner = group.get("owner") or {}
            person = owner.get("email") or owner.get("name")
            return _team(str(group["name"]), person)
    for node in ports.values():
        owner = _meta(node).get("owner")
        if isinstance(owner, dict):
            owner = owner.get("email") or owner.get("name")
        if isinstance(owner, str) and owner:
            return _team(owner, owner)
    return {}


def _team(name: str, person: Any) -> dict[str, Any]:
    member = {"members": [{"username": str(person), "role": "owner"}]} if person else {}
    return {"name": name, **member}


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}


def _text(value: Any) -> str:
    """Return a description as a block of lines; one paragraph becomes one line."""
    lines = [line.strip() for line in str(value or "").strip().splitlines()]
    return (
        "\n" if any(not line or line.startswith(("|", "-", "*")) for line in lines) else " "
    ).join(lines)


def _said(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the project says of a column to people: what it is, and who may see it."""
    meta, about = _meta(entry), _text(entry.get("description"))
    found: dict[str, Any] = {"description": about} if about else {}
    classification = str(meta.get("classification") or "").lower()
    if classification in _CLASSES:
        found["classification"] = classification
    elif any(meta.get(key) is True for key in _PERSONAL):
        found["classification"] = "restricted"
    return found


def _tests(node: Node, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return dbt's own tests of a model that must hold for every row, as its contract can say."""
    found = []
    for test in manifest["nodes"].values():
        meta = test.get("test_metadata") or {}
        if test.get("attached_node") != node["unique_id"] or meta.get("namespace"):
            continue
        config, given = test["config"], meta.get("kwargs", {})
        plain = not config.get("where") and not config.get("limit") and config.get("enabled", True)
        strict = str(config.get("severity", "")).lower() != "warn"
        bounds = (config.get("error_if") or "!= 0", config.get("fail_calc") or "count(*)")
        if plain and strict and bounds == ("!= 0", "count(*)"):
            name = str(test.get("column_name") or given.get("column_name") or "")
            told = {**given, **(given.get("arguments") or {})}
            found.append({"name": meta["name"], "column_name": name.strip('"'), "kwargs": told})
    return found


def _promised(
    column: Mapping[str, Any], tests: Iterable[Mapping[str, Any]], entry: Mapping[str, Any],
    node: Node, ports: Mapping[str, Node],
) -> dict[str, Any]:  # fmt: skip
    """Return the promises that the tests and constraints of a column make."""
    enforced = ((node.get("config") or {}).get("contract") or {}).get("enforced")
    kinds = {str(one.get("type")) for one in entry.get("constraints") or ()} if enforced else set()
    kinds |= {str(test["name"]) for test in tests}
    found: dict[str, Any] = {}
    if kinds & {"not_null", "primary_key"}:
        found["required"] = True
    if kinds & {"unique", "primary_key"}:
        found["unique"] = True
    for test in tests:
        if test["name"] == "accepted_values":
            values = [_value(v, str(column["logicalType"])) for v in test["kwargs"]["values"]]
            if values and None not in values:
                found["enum"] = [{"value": value} for value in values]
        elif test["name"] == "relationships":
            port = _referred(str(test["kwargs"].get("to")), ports)
            if port:
                found.setdefault("relationships", []).append(
                    {"to": f"{port}.{test['kwargs']['field']}"}
                )
    return found


def _value(value: Any, logical: str) -> Any:
    if logical == "string":
        return str(value)
    if logical == "integer":
        try:
            return int(value)
        except (TypeError, ValueError):
            return None
    return None


def _referred(to: str, ports: Mapping[str, Node]) -> str:
    """Return the port that `ref('model')` means, if it is one of the product."""
    inner = to.partition("ref(")[2].partition(")")[0]
    name = inner.rpartition(",")[2].strip(" '\"")
    return next((port for port, node in ports.items() if node["name"] == name), "")


def _one_key(properties: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the columns, each with its keys in one order; the first that could be is the key."""
    key = next((one for one in properties if one.get("required") and one.get("unique")), None)
    if key is not None:
        key["primaryKey"] = key.pop("unique")
    return [{name: one[name] for name in _ORDER if name in one} for one in properties]
