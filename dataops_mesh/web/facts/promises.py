"""What a product promises, and what it keeps: each service level with its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from dataops_mesh.ledger import Event
from dataops_mesh.spec.model import OutputPort, Product, Sla
from dataops_mesh.spec.read.sla import CHECKED, hours
from dataops_mesh.spec.slo import Recency, recency_of
from dataops_mesh.watch.slo import span
from dataops_mesh.watch.states import State
from dataops_mesh.web.facts.checks import CheckLine, Result

KEPT, BROKEN, DUE, HELD, UNKNOWN = "kept", "broken", "due", "held", "not measured"
_RUNS = {"late": BROKEN, "due": DUE, "held": HELD, "on time": KEPT}


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """One service level.

    Args:
        promised: the level in words.
        now: what is so, in words.
        state: `kept`, `due`, `broken`, `held` or `not measured`.
        before: how it was at each of the last publications, oldest first; the number is hours
            where it may be shown.
        limit: in hours, where there is one.
    """

    port: str
    property: str
    promised: str
    now: str
    state: str
    before: tuple[Result, ...] = ()
    limit: float | None = None


def promise_lines(
    product: Product,
    state: State,
    events: Sequence[Event],
    checks: Sequence[CheckLine],
    now: datetime,
) -> tuple[PromiseLine, ...]:
    """Return each service level of a product's ports.

    Args:
        product: the product.
        state: how it stands.
        events: what happened to it, newest first.
        checks: its checks, for the levels that are checked on the data.
        now: the real time.
    """
    found = []
    for port in product.outputs:
        for sla in port.contract.slas:
            if sla.property in CHECKED and sla.element:
                found.append(_checked(port, sla, state, checks))
            elif sla.property in {"freshness", "frequency"} or _is_grace(sla, port):
                found.append(_runs(port, sla, product, state, events, now))
            else:
                words = "on record; nobody measures it here"
                found.append(PromiseLine(str(port.address), *_said(sla), words, UNKNOWN))
    return tuple(found)


def _is_grace(sla: Sla, port: OutputPort) -> bool:
    """Tell whether a level is how long after its frequency a publication may come."""
    asked = {one.property for one in port.contract.slas}
    return sla.property == "latency" and not sla.element and "frequency" in asked


def _said(sla: Sla) -> tuple[str, str]:
    of = f" of {sla.element}" if sla.element else ""
    most = {"freshness": "at most ", "latency": "at most ", "frequency": "every "}
    return (
        sla.property,
        f"{most.get(sla.property, '')}{sla.value}{f' {sla.unit}' if sla.unit else ''}{of}",
    )


def _checked(port: OutputPort, sla: Sla, state: State, checks: Sequence[CheckLine]) -> PromiseLine:
    address = str(port.address)
    mine = [one for one in checks if one.port == address and one.name.startswith(sla.property)]
    if not mine or mine[0].outcome == "never run":
        return PromiseLine(address, *_said(sla), "not looked at yet", UNKNOWN)
    one = mine[0]
    passed = one.outcome == "passed"
    kept, words = KEPT if passed else BROKEN, one.reason
    if sla.property == "freshness":
        kept, words = _data(state, one.reason if passed else "")
    words = words or ("as promised" if kept == KEPT else "not as promised")
    return PromiseLine(address, *_said(sla), words, kept, one.before, hours(sla))


def _data(state: State, passed: str) -> tuple[str, str]:
    """Return how old the data is as the commands judge it: somebody may have looked since."""
    if state.slo.data == "fresh":
        return KEPT, passed
    if state.slo.data:
        return (HELD if state.slo.data == "held" else BROKEN), state.slo.why[-1]
    return UNKNOWN, "nobody waits for more" if state.built else "nothing is published"


def _runs(  # noqa: PLR0913, PLR0917 - what is known of it
    port: OutputPort,
    sla: Sla,
    product: Product,
    state: State,
    events: Sequence[Event],
    now: datetime,
) -> PromiseLine:
    recency = recency_of(product)
    if state.built is None or recency is None:
        return PromiseLine(str(port.address), *_said(sla), "nothing is published", UNKNOWN)
    words = f"the last publication is {span(now - state.built)} old"
    if sla.property == "latency":
        words += f"; with its frequency, at most {span(timedelta(hours=recency.fail))}"
    before = _gaps(events, recency)
    kept = _RUNS.get(state.slo.runs, UNKNOWN)
    return PromiseLine(str(port.address), *_said(sla), words, kept, before, recency.fail)


def _gaps(events: Sequence[Event], recency: Recency) -> tuple[Result, ...]:
    """Return how long consumers waited for each publication, oldest first."""
    times = [one.at for one in reversed(events) if one.what == "published"]
    limit = timedelta(hours=recency.fail)
    return tuple(
        Result(
            f"{after:%Y-%m-%d %H:%M}",
            "passed" if after - before <= limit else "failed",
            (after - before).total_seconds() / 3600,
        )
        for before, after in pairwise(times)
    )
