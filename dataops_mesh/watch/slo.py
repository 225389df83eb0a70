"""How products keep their promises about runs and about data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dataops_mesh.ledger import Event, Ledger, history, results_of
from dataops_mesh.ledger.trouble.incidents import DAMAGED, last_audit
from dataops_mesh.run.word.held import gone_inputs, holds_behind
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.slo import recency_of
from dataops_mesh.store.log import Release

FRESHNESS = "freshness"
HELD = "held"
LOOKED_AT = 50  # events of a product


@dataclass(frozen=True, slots=True)
class Slo:
    """How a product keeps its promises.

    Args:
        runs: `on time`, `due`, `late`, `held` where that is why it would be late, or empty where
            nothing is promised or published.
        data: `fresh`, `stale`, `held`, or empty where nothing is promised or published.
    """

    runs: str = ""
    data: str = ""
    why: tuple[str, ...] = ()


def slo_of(product: Product, ledger: Ledger, now: datetime, release: Release) -> Slo:
    """Return how the product keeps its promises about runs and about data.

    What a person holds, and what is built from it, is not late because of that.
    """
    events = history(ledger, product.qualified_name, LOOKED_AT)
    published = next((e for e in events if e.what in {"published", "rollback"}), None)
    if published is None or not any(port.address in release.ports for port in product.outputs):
        return Slo()  # never, or not any more
    runs, why = _runs(product, published, now)
    data, more = _data(product, published, ledger)
    if "late" in runs or "stale" in data:
        behind = holds_behind(product, release) or gone_inputs(product, release)
        runs, data = (HELD if behind and one in {"late", "stale"} else one for one in (runs, data))
    return Slo(runs, data, tuple(text for text in (why, more) if text))


def _runs(product: Product, published: Event, now: datetime) -> tuple[str, str]:
    recency = recency_of(product)
    if recency is None:
        return "", ""
    age = now - published.at
    why = f"the last publication is {span(age)} old; promised: {recency.promise}"
    if age > timedelta(hours=recency.fail):
        return "late", why
    return ("due", why) if age > timedelta(hours=recency.warn) else ("on time", "")


def _data(product: Product, published: Event, ledger: Ledger) -> tuple[str, str]:
    """Return what the newest look at the data said: an audit's, else that of the gate."""
    promised = any(
        sla.property == FRESHNESS and sla.element
        for port in product.outputs
        for sla in port.contract.slas
    )
    if not promised:
        return "", ""
    audit = last_audit(ledger, product.qualified_name)
    if audit and audit.outcome != DAMAGED and audit.publication == published.publication:
        stale = [reason for _, check, _, reason in audit.failed if check == FRESHNESS]
    else:
        rows = results_of(ledger, published.candidate)
        found = [row for row in rows if row["check"] == FRESHNESS]
        stale = [row["reason"] for row in found if row["outcome"] != "passed"]
    return ("stale", stale[0] or "the data is older than promised") if stale else ("fresh", "")


def span(age: timedelta) -> str:
    """Return how long something is, in the unit that people would say.

    >>> span(timedelta(minutes=4)), span(timedelta(hours=26)), span(timedelta(days=3))
    ('4 minutes', '26.0 hours', '3.0 days')
    """
    hours = age.total_seconds() / 3600
    if hours < 1:
        return f"{60 * hours:.0f} minutes"
    return f"{hours / 24:.1f} days" if hours > 48 else f"{hours:.1f} hours"  # noqa: PLR2004
