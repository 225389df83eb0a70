"""One moment of a mesh as samples for Prometheus: every label has few values that are known."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import MeshError
from dataops_mesh.policy.load import load_waivers
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.slo import recency_of
from dataops_mesh.store.captures.collect import captures_in, size_of
from dataops_mesh.store.log import ports_of
from dataops_mesh.watch.states import State
from dataops_mesh.web.facts.held import held_now
from dataops_mesh.web.facts.mesh import standings
from dataops_mesh.web.facts.wrong import BROKEN
from dataops_mesh.web.metrics.totals import WINDOW, Totals, downtime
from dataops_mesh.web.view import View

if TYPE_CHECKING:
    from prometheus_client.core import Metric

OBJECTIVE = 0.99  # of the last thirty days, the share in which data is as fresh as promised
LEVELS = {"well": 0, "off": 0, "watch": 1, "wrong": 2}
OF = ("domain", "product")


def exposition(view: View, totals: Totals) -> bytes:
    """Return what Prometheus reads."""
    from prometheus_client import CollectorRegistry, generate_latest

    totals.catch_up(view.ledger, view.now)
    registry = CollectorRegistry()

    class Moment:
        def collect(self) -> Iterator[Metric]:
            yield from families(view, totals)

    registry.register(Moment())
    found: bytes = generate_latest(registry)
    return found


def families(view: View, totals: Totals) -> Iterator[Metric]:
    """Yield every family of samples."""
    known = view.catalogue.products
    yield from _counters(totals, known)
    yield from _standing(view)
    yield from _promises(view, totals)
    yield from _people(view)
    yield from _store(view)


def _counters(totals: Totals, known: Mapping[str, Product]) -> Iterator[Metric]:
    yield _family("counter", "mesh_runs", "Runs by how they ended.", (*OF, "outcome"), (
        ((*_of(name), outcome), number)
        for (name, outcome), number in totals.runs.items() if name in known
    ))  # fmt: skip
    yield _family("counter", "mesh_checks", "Checks by how they ended.",
                  (*OF, "severity", "outcome"), (
        ((*_of(name), severity, outcome), number)
        for (name, severity, outcome), number in totals.checks.items() if name in known
    ))  # fmt: skip
    yield _family("counter", "mesh_run_seconds", "Seconds that runs took, by stage.",
                  (*OF, "stage"), (
        ((*_of(name), stage), spent)
        for (name, stage), spent in totals.seconds.items() if name in known
    ))  # fmt: skip
    for family, told, counted in (
        ("mesh_rows", "Rows that runs built.", totals.rows),
        ("mesh_written_bytes", "Bytes that runs wrote.", totals.written),
    ):
        samples = ((_of(name), number) for name, number in counted.items() if name in known)
        yield _family("counter", family, told, OF, samples)


def _standing(view: View) -> Iterator[Metric]:
    every = standings(view)
    yield _gauge("mesh_product_level", "0 well, 1 to watch, 2 wrong.", OF,
                 ((_of(one.product), LEVELS[one.level]) for one in every))  # fmt: skip
    yield _gauge("mesh_product_state", "How a product stands, in a word.", (*OF, "state"),
                 (((*_of(one.product), one.word), 1) for one in every))  # fmt: skip
    yield _gauge("mesh_port_rows", "Rows that consumers read.", (*OF, "port"), (
        ((*_of(name), address.port), light.rows)
        for name, state in view.states().items() for address, light in state.lights.items()
    ))  # fmt: skip
    open_now = Counter((one.product, one.kind) for one in view.wrong() if one.kind != BROKEN)
    counted = (((*_of(name), kind), number) for (name, kind), number in open_now.items())
    yield _gauge("mesh_incidents_open", "What is wrong now, by kind.", (*OF, "kind"), counted)
    ages: dict[tuple[str, ...], float] = {}
    for one in view.wrong():
        if one.since is not None:
            key = (*_of(one.product), one.kind)
            ages[key] = max(ages.get(key, 0.0), (view.now - one.since).total_seconds())
    yield _gauge("mesh_incident_age_seconds", "For how long it is wrong.", (*OF, "kind"),
                 ages.items())  # fmt: skip
    broken = len(view.catalogue.broken)
    yield _gauge(
        "mesh_declarations_broken", "Declarations that cannot be read.", (), [((), broken)]
    )


def _promises(view: View, totals: Totals) -> Iterator[Metric]:
    states, products = view.states(), view.catalogue.products
    yield _gauge("mesh_freshness_seconds", "Since what consumers read was built.", OF, (
        (_of(name), (view.now - state.built).total_seconds())
        for name, state in states.items() if state.built is not None
    ))  # fmt: skip
    promised = {name: recency_of(one) for name, one in products.items()}
    limits = {name: one.fail * 3600 for name, one in promised.items() if one is not None}
    yield _gauge("mesh_freshness_promise_seconds", "How old it may be by the contract.", OF,
                 ((_of(name), limit) for name, limit in limits.items()))  # fmt: skip
    kept = (sample for name, state in states.items() for sample in _kept(name, state))
    yield _gauge("mesh_slo_kept", "1 if a promise is kept now.", (*OF, "slo"), kept)
    late = {
        name: downtime(totals.published[name], timedelta(seconds=limit), view.now)
        for name, limit in limits.items()
        if totals.published.get(name)
    }
    yield _gauge("mesh_data_downtime_seconds", "Of the last 30 days, older than promised.", OF,
                 ((_of(name), found.total_seconds()) for name, found in late.items()))  # fmt: skip
    budget = WINDOW * (1 - OBJECTIVE)
    yield _gauge("mesh_error_budget_remaining_ratio",
                 "Of what may be late in 30 days, the share that is left.", OF,
                 ((_of(name), 1 - found / budget) for name, found in late.items()))  # fmt: skip


def _kept(name: str, state: State) -> list[tuple[tuple[str, ...], float]]:
    told = (("runs", state.slo.runs, "late"), ("data", state.slo.data, "stale"))
    return [((*_of(name), slo), float(word != bad)) for slo, word, bad in told if word]


def _people(view: View) -> Iterator[Metric]:
    holds: Counter[tuple[str, ...]] = Counter()
    ages: dict[tuple[str, ...], float] = {}
    for one in held_now(view.release):
        key = (*_of(one.product), one.how)
        holds[key] += 1
        ages[key] = max(ages.get(key, 0.0), (view.now - one.since).total_seconds())
    yield _gauge("mesh_holds", "What people hold or withdrew.", (*OF, "how"), holds.items())
    yield _gauge("mesh_hold_age_seconds", "How old the oldest is.", (*OF, "how"), ages.items())
    left: dict[tuple[str, ...], float] = {}
    count: Counter[tuple[str, ...]] = Counter()
    today = view.environment.settings.clock().date()
    for name, until in _waivers(view):
        count[_of(name)] += 1
        seconds = (until - today).total_seconds()
        left[_of(name)] = min(left.get(_of(name), seconds), seconds)
    yield _gauge("mesh_waivers", "Rules of the organisation that do not count.", OF, count.items())
    yield _gauge("mesh_waiver_left_seconds", "Until the first of them ends.", OF, left.items())


def _waivers(view: View) -> list[tuple[str, date]]:
    with suppress(MeshError):  # `mesh check` says what is wrong with the file
        found = load_waivers(
            view.environment.settings.root, tuple(view.catalogue.products.values())
        )
        known = view.catalogue.products
        return [(one.product, one.until) for one in found if one.product in known]
    return []


def _store(view: View) -> Iterator[Metric]:
    yield _gauge("mesh_release", "The number of the newest release.", (),
                 [((), view.release.number)])  # fmt: skip
    yield _gauge("mesh_ports_published", "Ports that consumers can read.", (),
                 [((), sum(1 for _ in ports_of(view.release).lights()))])  # fmt: skip
    with suppress(OSError):
        disk = shutil.disk_usage(view.environment.store.root)
        yield _gauge("mesh_store_size_bytes", "Of the store's disk.", (), [((), disk.total)])
        yield _gauge("mesh_store_free_bytes", "Of it free.", (), [((), disk.free)])
        kept = size_of(captures_in(view.environment.store.captures))
        yield _gauge("mesh_store_captures_bytes", "Sources that are kept.", (), [((), kept)])


def _of(product: str) -> tuple[str, str]:
    domain, _, name = product.partition(".")
    return domain, name


Samples = Iterable[tuple[tuple[str, ...], float]]


def _gauge(name: str, told: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    return _family("gauge", name, told, labels, samples)


def _family(kind: str, name: str, told: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    make: Any = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    found = make(name, told, labels=labels)
    for values, number in samples:
        found.add_metric(values, number)
    family: Metric = found
    return family
