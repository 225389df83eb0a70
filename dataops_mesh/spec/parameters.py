"""Parameters: values that a product is built with and that differ between environments.

    [tool.dataops_mesh.parameters.default]      in the workspace's pyproject.toml
    late_after = 15

    [tool.dataops_mesh.parameters.canary]
    late_after = 30

A product says which it takes, and SQL asks for one by `mesh_parameter('late_after')`: its value is
written into the query before the query is parsed, so what is checked, traced and run has it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import DeclarationError, Location, Problem, did_you_mean
from dataops_mesh.spec.tokens import closing, is_call, kind, words

if TYPE_CHECKING:
    from dataops_mesh.spec.model import Product

DEFAULT = "default"
FUNCTION = "mesh_parameter"
ARGUMENT = "parameters"  # of a Python transform
Value = str | int | float | bool
Sets = Mapping[str, Mapping[str, Value]]


def sets_of(root: Path) -> Sets | None:
    """Return the sets of a workspace; None where there is none, only texts of a declaration."""
    try:
        text = (root / "pyproject.toml").read_text("utf-8-sig")
        table = tomllib.loads(text).get("tool", {}).get("dataops_mesh", {})
    except (OSError, ValueError):  # whoever reads the settings says so
        return None
    found: Sets = table.get("parameters", {})
    return found


def with_values(product: Product, sets: Sets | None, name: str) -> Product:
    """Return a product with the values of what it takes, for everything that builds or reads it.

    Args:
        product: as it was read.
        sets: of the workspace.
        name: of the set; what it does not say, `default` says.

    Raises:
        DeclarationError: something that it takes has no value.
    """
    if not product.takes or sets is None:
        return product
    known = {**sets.get(DEFAULT, {}), **sets.get(name, {})}
    problems = [
        Problem(
            f'the parameter "{one}" has no value{did_you_mean(one, known)}',
            product.where,
            key="parameters",
            choices=tuple(sorted(known)),
            next=f"say it in [tool.dataops_mesh.parameters.{DEFAULT}] of pyproject.toml",
        )
        for one in product.takes
        if one not in known
    ]
    if problems:
        raise DeclarationError(problems)
    values = tuple((one, known[one]) for one in product.takes)
    transform = product.transform
    if transform.dbt.vars or transform.kind.value == "dbt":
        said = json.loads(transform.dbt.vars or "{}") | dict(values)
        dbt = replace(transform.dbt, vars=json.dumps(said, sort_keys=True))
        transform = replace(transform, dbt=dbt)
    return replace(product, parameters=values, transform=transform)


def said_of(product: Product) -> tuple[tuple[str, str], ...]:
    """Return the values as they go on record: as JSON, by name."""
    return tuple((name, json.dumps(value)) for name, value in sorted(product.parameters))


def filled(text: str, product: Product, where: Location) -> str:
    """Return a query with the values of the parameters that it asks for.

    Raises:
        DeclarationError: it asks for one that the product does not take.
    """
    if FUNCTION not in text.lower():
        return text
    tokens, parts, done = words(text), list[str](), 0
    for start, end in _calls(tokens):
        line = Location(where.file, where.line + text.count("\n", 0, tokens[start].start))
        value = _asked(tokens[start + 2 : end], product, line)
        if value is not None:
            parts += [text[done : tokens[start].start], value]
            done = tokens[end].end + 1
    return "".join([*parts, text[done:]])


def _calls(tokens: Any) -> Iterator[tuple[int, int]]:
    for index, token in enumerate(tokens):
        if token.text.lower() == FUNCTION and is_call(tokens, index):
            end = closing(tokens, index + 1)
            if end is not None:
                yield index, end


def _asked(given: Any, product: Product, where: Location) -> str | None:
    """Return the value that is asked for, in SQL; None where it is not known here."""
    if len(given) != 1 or kind(given, 0) != "STRING":
        what = f"{FUNCTION} takes the name of one parameter, as text"
        raise DeclarationError(Problem(what, where, next=f"{FUNCTION}('late_after')"))
    name = given[0].text
    if name not in product.takes:
        what = f'asks for the parameter "{name}", which {product.qualified_name} does not take'
        raise DeclarationError(
            Problem(
                what + did_you_mean(name, product.takes),
                where,
                choices=product.takes,
                next="add it to the setting `parameters` of product.odps.yaml",
            )
        )
    values = dict(product.parameters)
    return _literal(values[name]) if name in values else None


def _literal(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"({value})" if value < 0 else str(value)
        case float():
            return f"CAST({value!r} AS DOUBLE)"
    return "'" + value.replace("'", "''") + "'"
