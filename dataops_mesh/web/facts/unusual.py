"""What is unusual about a product, by its own history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.run.usual.bounds import DISTINCT, MEAN
from dataops_mesh.run.usual.remark import Remark
from dataops_mesh.run.usual.remarks import remarks
from dataops_mesh.spec.model import Product
from dataops_mesh.web.facts.checks import Result
from dataops_mesh.web.facts.columns import is_secret


@dataclass(frozen=True, slots=True)
class UnusualLine:
    """One number that is not usual.

    Args:
        port: its address; empty of what is about the product.
        kind: `rows`, `nulls`, `distinct`, `mean`, `seconds` or `refusals`.
        candidate: the build; empty of what is about several.
        before: what it was, oldest first; the last is the number in question.
    """

    port: str
    kind: str
    column: str
    candidate: str
    sentence: str
    before: tuple[Result, ...]


def unusual_lines(ledger: Ledger, product: Product, now: datetime) -> tuple[UnusualLine, ...]:
    """Return what is unusual; of a column that is classified now, only nulls."""
    secret = {
        (str(port.address), column.name)
        for port in product.outputs
        for column in port.contract.columns
        if is_secret(column)
    }
    found = remarks(ledger, product.qualified_name, now)
    told = {MEAN.name, DISTINCT.name}  # by values
    shown = (one for one in found if one.kind not in told or (one.port, one.column) not in secret)
    return tuple(_line(one) for one in shown)


def _line(one: Remark) -> UnusualLine:
    *before, (day, value) = one.before
    results = [Result(f"{at}", "passed", number) for at, number in before]
    results.append(Result(f"{day}", "failed", value))
    return UnusualLine(one.port, one.kind, one.column, one.candidate, one.sentence, tuple(results))
