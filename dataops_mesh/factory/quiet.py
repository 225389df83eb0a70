"""Sensors that look only when something can have changed: what an idle domain costs.

A tick first asks for a digest of everything that its look depends on (`watch/news.py`): a
fraction of a millisecond. The same digest as at the last look, and no moment passed at which the
clock alone changes something, and it ends there: it opens no ledger, reads no release and no
declaration. Whatever cannot be told means look.
"""

import threading
import warnings
from collections.abc import Sequence
from typing import Any

import dagster as dg

from dataops_mesh.errors import MeshError
from dataops_mesh.run.environment import open_environment
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.model import Product
from dataops_mesh.store.release import latest
from dataops_mesh.watch.deadlines import next_launch
from dataops_mesh.watch.news import Looked, Question, UnknownError, looked, now

NOTHING_NEW = "nothing has changed since the last look"
_LOCK = threading.Lock()
_kept: list[tuple[Any, dg.DagsterInstance]] = []


def instance_of(context: dg.SensorEvaluationContext) -> dg.DagsterInstance:
    """Return the instance of a tick, kept for the next: to open one takes 60 ms of CPU."""
    ref = getattr(context, "instance_ref", None)
    if ref is None:
        return context.instance
    with _LOCK:
        if not _kept or _kept[0][0] != ref:
            _kept[:] = [(ref, dg.DagsterInstance.from_ref(ref))]
        return _kept[0][1]


def answer(question: Question, context: dg.SensorEvaluationContext) -> str:
    """Return the digest by which two ticks are compared; empty where nobody can say."""
    try:
        # Every event has a number: of a run, a materialization, a check.
        newest = instance_of(context).event_log_storage.get_maximum_record_id()
        return question.answer(newest)
    except UnknownError:
        return ""
    except Exception as error:  # noqa: BLE001 - Dagster's storage may raise anything
        context.log.debug("nobody can say what is new: %s", type(error).__name__)
        return ""


class QuietAutomation(dg.AutomationConditionSensorDefinition):
    """Dagster's automation sensor, which is not evaluated where nothing can have changed.

    Its cursor is Dagster's own, so what was asked is kept in the process; a tick whose cursor is
    not the one that the last look returned, as after a crash of the daemon, is evaluated.
    """

    def __init__(self, question: Question, **named: Any) -> None:
        """Keep the question; the rest is Dagster's."""
        with warnings.catch_warnings():
            # Beta in Dagster 1.13, and the only way to evaluate a condition of one's own.
            warnings.simplefilter("ignore", dg.BetaWarning)
            super().__init__(**named, use_user_code_server=True)
        self._question, self._named = question, named
        self._last: tuple[Looked, str | None] | None = None
        self._skips = dg.SensorDefinition(
            name=self.name, evaluation_fn=lambda _: dg.SkipReason(NOTHING_NEW)
        )

    def evaluate_tick(self, context: dg.SensorEvaluationContext) -> Any:
        """Return what Dagster's evaluation asks for, or nothing."""
        mark, at = answer(self._question, context), now()
        before, cursor = self._last or (None, None)
        if before is not None and before.holds(mark, at) and cursor == context.cursor:
            return self._skips.evaluate_tick(context)
        if cursor != context.cursor:
            before = None
        self._last = None  # if this raises, the next tick looks
        result = super().evaluate_tick(context)
        products = self._question.products
        calm = not result.run_requests and not _is_held(products, self._question)
        made = looked(before, mark, at=at, until=next_launch(products, at), calm=calm)
        self._last = made, result.cursor
        return result

    def with_attributes(self, *, metadata: Any = None, **_: Any) -> "QuietAutomation":
        """Return the sensor with other metadata, as Dagster asks of it."""
        named = self._named if metadata is None else {**self._named, "metadata": metadata}
        return QuietAutomation(self._question, **named)


def _is_held(products: Sequence[Product], question: Question) -> bool:
    """Tell whether a product is held: its hold may end by other code or inputs, at any time."""
    try:
        holds = latest(open_environment(load_settings(question.root)).store).holds
    except MeshError:
        return True
    return any(port.address in holds for product in products for port in product.outputs)
