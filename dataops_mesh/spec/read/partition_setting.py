"""Reads the contract's setting `partitions`."""

from __future__ import annotations

from datetime import date

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Column
from dataops_mesh.spec.partition import Cadence, Partitioning
from dataops_mesh.spec.read.node import Node

_LISTABLE = ("string", "integer")


def read_partitioning(
    node: Node | None, columns: tuple[Column, ...], problems: list[Problem]
) -> Partitioning | None:
    """Return how a port is cut; None for a port that is published whole."""
    if node is None:
        return None
    flagged = [column for column in columns if column.partition_position is not None]
    if len(flagged) != 1:
        what = f"needs exactly one column with `partitioned: true`, not {len(flagged)}"
        problems.append(node.problem(what, [column.name for column in columns]))
        return None
    (column,) = flagged
    values = node.texts("values")
    cadence = node.text("cadence")
    if values:
        return _listed(node, column, values, problems)
    start, end = _day(node, "start", problems), _day(node, "end", problems)
    if column.logical_type != "date":
        what = f'a cadence needs a date, and "{column.name}" is a {column.logical_type}'
        problems.append(node.problem(what, then="add a date column, or list the `values`"))
    if cadence is None or start is None:
        return None
    if end is not None and end <= start:
        problems.append((node.child("end") or node).problem("the end is not after the start"))
    return Partitioning(column.name, Cadence(cadence), start, end)


def _listed(
    node: Node, column: Column, values: tuple[str, ...], problems: list[Problem]
) -> Partitioning:
    if column.logical_type not in _LISTABLE:
        what = (
            f'"{column.name}" is a {column.logical_type}; only {" or ".join(_LISTABLE)} is listed'
        )
        problems.append(node.problem(what, then="give a cadence and a start"))
    if len(set(values)) != len(values):
        problems.append((node.child("values") or node).problem("a value is listed twice"))
    return Partitioning(column.name, values=values)


def _day(node: Node, key: str, problems: list[Problem]) -> date | None:
    text = node.text(key)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.append((node.child(key) or node).problem("must be a day such as 2013-01-01"))
        return None
