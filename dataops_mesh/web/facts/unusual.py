"""What is unusual about a product, by its own history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.run.usual.bounds import DISTINCT, MEAN
from dataops_mesh.run.usual.remark import Remark
from dataops_mesh.run.usual.remarks import remarks
from dataops_mesh.spec.model import Product
from dataops_mesh.watch.states import State
from dataops_mesh.web.facts.checks import Result
from dataops_mesh.web.facts.columns import is_secret

_NOT_AWAITED = frozenset(
    {"refused", "failed", "late", "held", "withdrawn", "never", "not watched"}
)  # what is so is told already


@dataclass(frozen=True, slots=True)
class UnusualLine:
    """One number that is not usual.

    Args:
        port: its address; empty of what is about the product.
        kind: `rows`, `nulls`, `distinct`, `mean`, `seconds`, `freshness` or `refusals`.
        candidate: the build; empty of what is about the product.
        before: what it was, oldest first; the last is the number in question.
    """

    port: str
    kind: str
    column: str
    candidate: str
    sentence: str
    before: tuple[Result, ...]


def unusual_lines(
    ledger: Ledger, product: Product, now: datetime, state: State
) -> tuple[UnusualLine, ...]:
    """Return what is unusual; of a column that is classified now, only nulls.

    Args:
        ledger: what happened.
        product: as it is declared.
        now: the real time.
        state: how it stands; nobody waits for what is held, and what is refused is told as that.
    """
    secret = {
        (str(port.address), column.name)
        for port in product.outputs
        for column in port.contract.columns
        if is_secret(column)
    }
    awaited = _is_awaited(product, now, state)
    found = remarks(ledger, product.qualified_name, now, awaited=awaited)
    told = {MEAN.name, DISTINCT.name}  # by values
    shown = (one for one in found if one.kind not in told or (one.port, one.column) not in secret)
    return tuple(_line(one) for one in shown)


def _is_awaited(product: Product, now: datetime, state: State) -> bool:
    end = product.partitioning.end if product.partitioning else None
    over = end is not None and end <= now.date()
    return not over and not state.behind and state.word not in _NOT_AWAITED


def _line(one: Remark) -> UnusualLine:
    *before, (day, value) = one.before
    results = [Result(f"{at}", "passed", number) for at, number in before]
    results.append(Result(f"{day}", "failed", value))
    return UnusualLine(one.port, one.kind, one.column, one.candidate, one.sentence, tuple(results))
