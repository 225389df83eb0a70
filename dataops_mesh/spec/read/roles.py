"""Reads the roles of a contract, and which of them read masked columns as they are."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Column, Role
from dataops_mesh.spec.read.extras import Extras
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.protection import role_approvers

UNMASKED = "unmasked"
_NUMBERED = "file_row_number"  # what DuckDB calls the number of a row in its file


def read_roles(
    contract: Node, columns: Sequence[Column], extras: Extras, problems: list[Problem]
) -> tuple[Role, ...]:
    """Return the roles of a contract.

    Args:
        contract: the document.
        columns: what it says of its columns.
        extras: its settings.
        problems: receives what is wrong.
    """
    found: list[Role] = []
    for entry in contract.items("roles"):
        name = entry.text("role") or ""
        setting = extras.get(entry.keys, {}).get(UNMASKED)
        approvers = (one.strip() for one in role_approvers(entry))
        role = Role(
            name,
            entry.text("access") or "",
            unmasked=_columns(setting, columns, problems) if setting else (),
            members=tuple(setting.texts("members")) if setting else (),
            approvers=tuple(dict.fromkeys(filter(None, approvers))),
        )
        if setting and name in {one.role for one in found}:
            problems.append(setting.problem(f'the role "{name}" is there twice'))
        found.append(role)
    return tuple(found)


def _columns(setting: Node, columns: Sequence[Column], problems: list[Problem]) -> tuple[str, ...]:
    """Return the masked columns that a role opens."""
    masked = tuple(one.name for one in columns if one.mask is not None)
    if not masked:
        what = "no column is masked, so there is nothing to read unmasked"
        problems.append(setting.problem(what, then="mask a column (docs/masks.md), or remove it"))
    if _NUMBERED in {one.name.lower() for one in columns}:
        what = f"no column may be called {_NUMBERED} where a role reads unmasked"
        problems.append(setting.problem(what, then="rename the column"))
    asked = tuple(setting.texts("columns"))
    problems += [
        (setting.child("columns") or setting).problem(f'"{name}" is no masked column', masked)
        for name in asked
        if masked and name not in masked
    ]
    return asked or masked
