"""What a command and the process of another environment say to each other: lines of JSON."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Problem

if TYPE_CHECKING:
    from dataops_mesh.factory.runner import Ended
    from dataops_mesh.spec.model import Product

Line = Mapping[str, Any]


def moved(problem: Problem, root: Path, base: Path) -> Problem:
    """Return a problem of the workspace `root` with its file as seen from `base`.

    >>> from dataops_mesh.errors import Location
    >>> moved(Problem("no", Location("d/a.yaml", 3)), Path("/w/b"), Path("/w/a")).where.file
    '../b/d/a.yaml'
    """
    if problem.where is None or root == base:
        return problem
    file = os.path.relpath(root / problem.where.file, base)
    return replace(problem, where=replace(problem.where, file=file))


def ended_line(ended: Ended) -> dict[str, Any]:
    """Return how a product's part of a run ended, as JSON can say it."""
    return {
        "product": ended.product.qualified_name,
        "ending": ended.ending.value,
        "dagster_run": ended.dagster_run,
        "why": ended.why,
        "partition": ended.partition,
    }


def read_ended(line: Line, products: Iterable[Product]) -> Ended:
    """Return how one of the products ended."""
    from dataops_mesh.factory.runner import Ended, Ending

    by_name = {product.qualified_name: product for product in products}
    known = {**line, "product": by_name[line["product"]], "ending": Ending(line["ending"])}
    return Ended(**known)
