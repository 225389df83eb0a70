"""Reads custom rules (ODCS `DataQualityCustom`): expectations of Great Expectations.

    type: custom
    engine: greatExpectations
    implementation: {type: expect_column_mean_to_be_between, kwargs: {min_value: 1}}

`schemas/expectations.json` says which there are and what they take, so that loading needs no
Great Expectations; `quality/catalogue.py` writes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Problem, did_you_mean
from dataops_mesh.spec.pattern import pattern_problem
from dataops_mesh.spec.read.column.values import read_values
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.sql import rule_query
from dataops_mesh.spec.standards.schema import Validator, validate

ENGINE, OWN_ENGINE = ENGINES = ("greatExpectations", "dataops_mesh")
_FILE = Path(__file__).parents[2] / "standards" / "schemas" / "expectations.json"
# `meta` is notes of Great Expectations' own: recorded.
_KEYS = ("type", "kwargs", "meta")
_NAMING = ("column", "column_A", "column_B", "column_list")
_BOUNDS = ("min_value", "max_value")
_BATCH = "{batch}"


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule stands under.

    Args:
        column: the column's name, or None for the whole relation.
        logical: the column's logical type, where it is known.
        columns: all columns, or None where they are not known (a source has no contract).
        relations: the names by which a rule may call its own relation.
        system: the other system that the contract is written for (its `servers`), if there is
            one: SQL that does not run here is that system's.
    """

    column: str | None = None
    logical: str | None = None
    columns: tuple[str, ...] | None = None
    relations: frozenset[str] = frozenset()
    system: str = ""


def read_expectation(node: Node, target: Target, problems: list[Problem]) -> tuple[str, str]:
    """Return the name and the arguments, as JSON, of the expectation in a custom rule.

    Args:
        node: the rule.
        target: the column that it stands under; the expectation's `column` need not be said.
        problems: receives what is wrong.
    """
    column = target.column
    given = node.child("implementation")
    if node.child("engine") is None or given is None:
        return "", ""  # the schema has reported it
    if not isinstance(given.value, dict):
        what = "must be a mapping with `type` and `kwargs`, not text"
        problems.append(given.problem(what))
        return "", ""
    name = _name(given, problems)
    if name is None:
        return "", ""
    arguments = given.child("kwargs") or Node(given.document, {}, (*given.keys, "kwargs"))
    if not isinstance(arguments.value, dict):
        problems.append(arguments.problem("must be a mapping"))
        return "", ""
    schema = table()["executed"][name]
    before = len(problems)
    problems += validate(_validator(name, implied=column is not None), arguments)
    if len(problems) == before:
        _check(arguments, schema, column, target.columns, problems)
        _check_sets(arguments, target.logical, problems)
    value = dict(arguments.value)
    if column is not None and "column" in schema["properties"]:
        value["column"] = column
    return name, json.dumps(value, sort_keys=True, default=str)


def foreign_engine(node: Node, problems: list[Problem]) -> str:
    """Return the engine of a custom rule that nobody executes here; empty for those that are.

    A name that is nearly ours is a mistake: the rule would be recorded and never run.
    """
    engine = node.child("engine")
    if engine is None or not isinstance(engine.value, str):
        return ""  # the schema has reported it
    letters = _letters(engine.value)
    known = {_letters(one): one for one in ENGINES}
    if letters in known:
        return ""
    if did_you_mean(letters, known):
        hint = did_you_mean(engine.value, ENGINES)
        what = f'there is no engine "{engine.value}"{hint}'
        problems.append(engine.problem(what, ENGINES))
    return engine.value


def is_own(node: Node) -> bool:
    """Tell whether a custom rule is for this library itself."""
    engine = node.text("engine")
    return engine is not None and _letters(engine) == _letters(OWN_ENGINE)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha())


@cache
def table() -> dict[str, Any]:
    """Return what Great Expectations executes here, and what it does not."""
    found: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return found


@cache
def _validator(name: str, *, implied: bool) -> Validator:
    schema = table()["executed"][name]
    required = [k for k in schema["required"] if not (implied and k == "column")]
    properties = schema["properties"]
    return Validator(
        {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            "required": required,
        }
    )


def _name(given: Node, problems: list[Problem]) -> str | None:
    for key in given.value:
        child = given.child(key)
        if child is not None and key not in _KEYS:
            problems.append(child.problem(f"unknown key{did_you_mean(key, _KEYS)}", _KEYS))
    child, known = given.child("type"), table()
    if child is None or not isinstance(child.value, str):
        problems.append((child or given).problem("needs the `type` of an expectation, as text"))
        return None
    name = child.value
    if name in known["refused"]:
        what = f'"{name}" cannot be executed on the candidate'
        problems.append(child.problem(what, then=known["refused"][name]))
        return None
    if name not in known["executed"]:
        hint = did_you_mean(name, known["executed"])
        what = f'Great Expectations has no expectation "{name}"{hint}'
        problems.append(child.problem(what))
        return None
    return name


def _check(
    arguments: Node,
    schema: dict[str, Any],
    column: str | None,
    columns: tuple[str, ...] | None,
    problems: list[Problem],
) -> None:
    """Check what the types of the arguments do not say."""
    own = arguments.child("column")
    if own is not None and column is not None and own.value != column:
        problems.append(own.problem(f'stands under the column "{column}"', [column]))
    for key in _NAMING:
        child = arguments.child(key)
        if child is None or columns is None or key not in schema["required"]:
            continue
        for name in child.value if isinstance(child.value, list) else [child.value]:
            if name not in columns and arguments.value.get("column_index") is None:
                hint = did_you_mean(str(name), columns)
                problems.append(child.problem(f'no column "{name}"{hint}', columns))
    bounds = [key for key in _BOUNDS if key in schema["properties"]]
    needed = len(bounds) > 1 and "threshold" not in schema["properties"]
    if needed and not any(key in arguments.value for key in bounds):
        problems.append(arguments.problem("asserts nothing without min_value or max_value"))
    _check_texts(arguments, problems)


def _check_sets(arguments: Node, logical: str | None, problems: list[Problem]) -> None:
    """Check the values of a set as those of an enum; an unquoted NO is no text."""
    nodes = arguments.items("value_set")
    kinds = {type(node.value) for node in nodes if not isinstance(node.value, int | float)}
    for node in nodes:
        if isinstance(node.value, bool) and logical != "boolean" and (str in kinds or logical):
            word = node.document.words.get(node.keys, str(node.value).lower())
            what = "must be of one type with the others, and is true or false to YAML"
            problems.append(node.problem(what, then=f'write it in quotes: "{word}"'))
            return
    if logical in {"string", "integer", "number", "boolean", "date", "timestamp", "time"}:
        read_values([node for node in nodes if node.value is not None], logical, problems)


def _check_texts(arguments: Node, problems: list[Problem]) -> None:
    """Check regular expressions and queries as those of other rules are checked."""
    one = arguments.child("regex")
    for child in [*([one] if one else []), *arguments.items("regex_list")]:
        what = pattern_problem(child.value)
        if what:
            problems.append(child.problem(what))
    query = arguments.child("unexpected_rows_query")
    if query is None:
        return
    if _BATCH not in query.value:
        problems.append(query.problem(f"does not read {_BATCH}"))
        return
    try:
        rule_query(query.value.replace(_BATCH, "{object}"), query.start, has_column=False)
    except DeclarationError as error:
        problems += [query.problem(p.what.replace("{object}", _BATCH)) for p in error.problems]
