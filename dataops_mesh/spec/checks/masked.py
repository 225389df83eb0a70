"""Which checks read columns that consumers see masked: they are judged before they are masked.

Whatever cannot be read for certain counts as reading them.
"""

from __future__ import annotations

import json

from dataops_mesh.errors import Problem
from dataops_mesh.spec.checks.check import Check, Stage, checks_of
from dataops_mesh.spec.checks.measures import (
    GreatExpectation,
    Query,
    RowCount,
    SetAside,
    TableSchema,
)
from dataops_mesh.spec.checks.withheld import may_read
from dataops_mesh.spec.model import Contract, Product
from dataops_mesh.spec.roles import reads_unmasked


def masked_columns(contract: Contract) -> frozenset[str]:
    """Return the names of the columns that consumers see masked."""
    return frozenset(column.name for column in contract.columns if column.mask is not None)


def is_masked(product: Product) -> bool:
    """Tell whether a port of the product has a masked column."""
    return any(masked_columns(port.contract) for port in product.outputs)


def is_private(product: Product) -> bool:
    """Tell whether values pass through the product that others see masked."""
    return is_masked(product) or reads_unmasked(product)


def reads_masked(product: Product, check: Check) -> bool:
    """Tell whether an output check may read a masked column, so that only the gate can judge it."""
    port = next((p for p in product.outputs if str(p.address) == check.relation), None)
    masked = masked_columns(port.contract) if port and check.stage is Stage.OUTPUT else frozenset()
    measure = check.measure
    if not masked or port is None or isinstance(measure, RowCount | TableSchema | SetAside):
        return False
    clear = tuple(one.name for one in port.contract.columns if one.name not in masked)
    if isinstance(measure, Query):
        return may_read(check, clear)
    if isinstance(measure, GreatExpectation):
        given = json.loads(measure.kwargs)
        if "unexpected_rows_query" in given:
            return may_read(check, clear)
        named = [value for key, value in given.items() if key.startswith("column")]
        return not named or any(name in masked for name in _texts(named))
    own = (*getattr(measure, "columns", ()), getattr(measure, "column", ""))
    return any(name in masked for name in own)


def masked_problems(product: Product) -> list[Problem]:
    """Return what cannot be judged of a product in partitions, whose other ones are masked."""
    if product.partitioning is None or not is_masked(product):
        return []
    return [
        Problem(
            f'"{check.name}" of {check.port} reads masked columns of all partitions, and those '
            "that are published are masked",
            check.where,
            next="let the rule read one partition, or leave the column unmasked",
        )
        for check in checks_of(product)
        if check.table_wide and reads_masked(product, check)
    ]


def _texts(values: list[object]) -> list[str]:
    found: list[str] = []
    for value in values:
        found += [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return found
