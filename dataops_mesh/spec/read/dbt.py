"""Reads what a product tells dbt beside its project: target, variables, environment, sources."""

from __future__ import annotations

import json

from dataops_mesh.errors import Problem
from dataops_mesh.spec.dbt import DbtOptions
from dataops_mesh.spec.names import is_name
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.terms import Address

# dbt has a word of its own for secrets; the mesh's own settings may say where its secrets are.
_REFUSED = ("DBT_ENV_SECRET", "DBT_ENGINE_", "DATAOPS_MESH_", "MESH_SECRET_", "MESH_CONNECTION_")


def read_options(node: Node, problems: list[Problem]) -> DbtOptions:
    """Return the options of a dbt transform.

    Args:
        node: the value of `dbt`; a path alone has no options.
        problems: receives what is wrong.
    """
    if not isinstance(node.value, dict):
        return DbtOptions()
    variables = node.child("vars")
    return DbtOptions(
        target=node.text("target") or "",
        vars=json.dumps(variables.value, sort_keys=True, default=str) if variables else "",
        env=_env(node, problems),
        sources=_sources(node, problems),
    )


def _env(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    for entry in node.items("env"):
        if str(entry.value).startswith(_REFUSED):
            what = f"{entry.value} is not given to code of a domain: it may be a secret"
            problems.append(entry.problem(what, then="read its data by an input port"))
    return tuple(sorted(str(entry.value) for entry in node.items("env")))


def _sources(node: Node, problems: list[Problem]) -> tuple[tuple[str, Address], ...]:
    given = node.child("sources")
    found = []
    for name in given.value if given is not None else ():
        child = given.child(name) if given is not None else None
        if child is None:
            continue
        domain, dot, port = str(child.value).partition(".")
        if name.count(".") != 1:
            problems.append(child.problem(f'"{name}" must be <source>.<table>'))
        elif not (dot and is_name(domain) and is_name(port)):
            what = f'"{child.value}" is no address of a port'
            problems.append(child.problem(what, then="write <domain>.<port>"))
        else:
            found.append((name, Address(domain, port)))
    return tuple(sorted(found))
