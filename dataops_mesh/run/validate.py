"""Does the transform fit its declaration? Asked by `mesh check`, at load, and before a run."""

from __future__ import annotations

from dataops_mesh.errors import Problem
from dataops_mesh.run.python import python_problems
from dataops_mesh.run.sql import sql_problems
from dataops_mesh.spec.model import Product, TransformKind


def transform_problems(product: Product) -> tuple[Problem, ...]:
    """Return what is wrong with a SQL or Python transform, without running it.

    A dbt project is compared with its declaration when its manifest is read.
    """
    match product.transform.kind:
        case TransformKind.SQL:
            return sql_problems(product)
        case TransformKind.PYTHON:
            return python_problems(product)
        case TransformKind.DBT:
            return tuple(
                Problem(
                    f'a dbt product reads published ports; "{port.name}" is a source',
                    port.where,
                    next="publish the source as a product of its own, and read that",
                )
                for port in product.inputs
                if port.source
            )
