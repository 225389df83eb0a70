"""Ask the gate process to build a publication again."""

from __future__ import annotations

from dataclasses import replace

from dataops_mesh.run.process.client import Progress, ask_gate, request_for
from dataops_mesh.run.process.wire import read_reproduction
from dataops_mesh.run.reproduce.told import Reproduction
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.model import Product, TransformKind


def gate_reproduce(  # noqa: PLR0913 - keywords, each a fact of the request
    product: Product,
    settings: Settings,
    checks: tuple[Check, ...],
    number: int,
    *,
    partition: str = "",
    progress: Progress = lambda _: None,
) -> tuple[Reproduction, ...]:
    """Have the gate build a publication again and compare; nothing is published or recorded."""
    request = request_for(
        "reproduce",
        product=product,
        settings=settings,
        checks=checks,
        run_id=f"reproduce-{number}",
        partition=partition,
    )
    request = replace(request, publication=number)
    code = product.transform.kind is not TransformKind.SQL
    lines = ask_gate(request, settings, progress, code=code)
    return tuple(map(read_reproduction, lines))
