"""May the bytes of a source be kept? Not in the store, where a product masks what is in them."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.run.environment import Environment
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.model import Capture, InputPort, Product, Source
from dataops_mesh.store.restricted import prepare


def capture_problems(product: Product, settings: Settings) -> tuple[Problem, ...]:
    """Return the sources whose clear values are to be kept where nothing says where."""
    if settings.restricted is not None:
        return ()
    return tuple(
        Problem(
            f'the source "{port.name}" says `capture: keep`, and clear values are kept nowhere',
            source.where,
            "capture",
            next="set `restricted` (docs/roles.md), or say `capture: fingerprint`",
        )
        for port, source in _kept_clear(product)
    )


def capture_reasons(product: Product, environment: Environment) -> tuple[str, ...]:
    """Return why the clear values of sources cannot be kept here."""
    found = list(capture_problems(product, environment.settings))
    if not found and any(_kept_clear(product)):
        try:
            prepare(environment.store)
        except StoreError as error:
            found += error.problems
    return tuple(f"{one.what}; {one.next}" for one in found)


def why_not_kept(product: Product, source: Source, size: int, settings: Settings) -> str:
    """Return why the bytes of a source are not kept, in words; nothing if they are to be.

    Args:
        product: whose source it is.
        source: as it is declared.
        size: how many bytes it has.
        settings: of the workspace.
    """
    if source.capture is Capture.KEEP:
        return ""
    if source.capture is Capture.FINGERPRINT:
        return "it says `capture: fingerprint`"
    if is_private(product):
        return "the product masks columns, or reads them unmasked"
    if not settings.capture_bytes:
        return "the setting `capture` is 0"
    if size > settings.capture_bytes:
        return f"it is larger than the setting `capture`, {settings.capture}"
    return ""


def _kept_clear(product: Product) -> Iterator[tuple[InputPort, Source]]:
    if is_private(product):
        for port in product.inputs:
            if port.source is not None and port.source.capture is Capture.KEEP:
                yield port, port.source
