"""Does the transform fit its declaration? Asked by `mesh check`, at load, and before a run."""

from __future__ import annotations

from dataops_mesh.errors import Problem
from dataops_mesh.spec.checks.masked import masked_columns
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.transform.dlt.problems import resource_problems
from dataops_mesh.transform.python import python_problems
from dataops_mesh.transform.sql import sql_problems


def transform_problems(product: Product) -> tuple[Problem, ...]:
    """Return what is wrong with a SQL or Python transform, without running it.

    A dbt project is compared with its declaration when its manifest is read.
    """
    return (
        *_partition_problems(product),
        *_own_problems(product),
        *resource_problems(product),
        *_kind_problems(product),
    )


def _own_problems(product: Product) -> tuple[Problem, ...]:
    """Return the input ports `self` of a product that cannot use them."""
    if product.transform.kind is TransformKind.DBT:
        what = "a dbt project reads what it built last by is_incremental() and snapshots"
        return tuple(Problem(what, port.where, next=f"remove {port.name}") for port in product.own)
    masked = {port.address for port in product.outputs if masked_columns(port.contract)}
    return tuple(
        Problem(
            f"{port.address} is published with masked columns, which would be masked once more",
            port.where,
            next="keep the rows in a product without masks (`visibility`), and mask in a reader",
        )
        for port in product.own
        if port.address in masked
    )


def _partition_problems(product: Product) -> tuple[Problem, ...]:
    """Return where a product is cut in a way that it cannot be built."""
    cuts = {port.contract.partitioning for port in product.outputs}
    what = "all ports of a product must have the same setting `partitions`"
    return (Problem(what, product.where),) if len(cuts) > 1 else ()


def _kind_problems(product: Product) -> tuple[Problem, ...]:
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
