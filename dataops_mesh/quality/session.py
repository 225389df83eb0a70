"""One Great Expectations context per process, and validating on it.

Imports Great Expectations: import this module only inside functions.
"""

from __future__ import annotations

import functools
import logging
import re
import threading
from typing import TYPE_CHECKING, Any

import great_expectations as gx
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import ProgressBarsConfig

from dataops_mesh.quality import dialect
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.quality.translate import Expectation

# Its messages can repeat values, and it warns of each provider that we give it.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
# No values: a result that never holds a cell cannot show one.
_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}
_turn = threading.Lock()  # the context is shared, and Great Expectations keeps state in it


@functools.cache
def _batch_definition() -> Any:
    """Return the batch definition of the view that every audit calls by the same name."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_sql("audit", connection_string=dialect.URL)
    asset = source.add_table_asset(AUDITED, table_name=f'"{AUDITED}"')
    return asset.add_batch_definition_whole_table("all")


def validate(loan: Loan, expectations: Sequence[Expectation]) -> list[Measurement]:
    """Measure all expectations on the borrowed connection, one measurement each, in order.

    All of them are validated at once, so that their metrics share one SELECT. Where that
    SELECT fails everything in it has failed; each of those is then tried alone, so that only
    the culprit is left without a number.
    """
    if not expectations:
        return []
    with _turn, dialect.lend(loan):
        measured = _validate(loan, expectations)
        for index, measurement in enumerate(measured):
            if measurement.error and len(expectations) > 1:
                measured[index] = _validate(loan, [expectations[index]])[0]
    return measured


def _validate(loan: Loan, expectations: Sequence[Expectation]) -> list[Measurement]:
    loan.incident = ""
    measured = [Measurement(error="Great Expectations returned no result")] * len(expectations)
    built = []
    for index, (kind, arguments) in enumerate(expectations):
        try:
            built.append(kind(**arguments, meta={"index": index}))
        except Exception as error:  # noqa: BLE001 - arguments that GX refuses: its text may hold them
            measured[index] = Measurement(
                error=f"{type(error).__name__}: its arguments are refused"
            )
    suite = ExpectationSuite(name="audit", expectations=built)
    for result in _batch_definition().get_batch().validate(suite, result_format=_COUNTS).results:
        measured[result.expectation_config.meta["index"]] = _measurement(result, loan)
    return measured


def _measurement(result: Any, loan: Loan) -> Measurement:
    """Read one result; `exception_info` means that it could not run, not that data is bad."""
    found = result.result
    if "count" in found and "rows" in found:
        return Measurement(found["count"], found["rows"])
    if _raised(result.exception_info):
        return Measurement(error=loan.incident or _exception(result.exception_info))
    # One of the library's own: it has judged by itself. What it observed may be a cell.
    unexpected, rows = found.get("unexpected_count"), found.get("element_count")
    return Measurement(0 if result.success else 1, rows, unexpected=unexpected)


def _raised(info: Any) -> bool:
    """Tell whether any metric of an expectation could not be computed."""
    if not isinstance(info, dict):
        return False
    return bool(info.get("raised_exception")) or any(map(_raised, info.values()))


def _exception(info: Any) -> str:
    """Return the class of the exception in a result, and nothing of its message."""
    classes = re.findall(
        r"^(?:\w+\.)*(\w+(?:Error|Exception))\b", str(info).replace("\\n", "\n"), re.MULTILINE
    )
    return classes[-1] if classes else "an unknown reason"
