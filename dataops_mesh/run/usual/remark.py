"""One thing that is unusual about a product: a sentence, and what it was before."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.run.usual.bounds import Bounds, Point


@dataclass(frozen=True, slots=True)
class Remark:
    """One number that is not usual: of the last build, or of the product's builds.

    Args:
        port: its address; empty of what is about the product.
        kind: `rows`, `nulls`, `distinct`, `mean`, `seconds`, `freshness` or `refusals`.
        column: of which; empty of rows and of what is about the product.
        candidate: the build; empty of what is about the product.
        sentence: what it is and what would be usual, in words.
        before: what it was, oldest first; the last is the number in question.
        usual: from where to where it would have been usual.
    """

    port: str
    kind: str
    column: str
    candidate: str
    sentence: str
    before: tuple[Point, ...]
    usual: Bounds
