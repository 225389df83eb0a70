"""Of which partition something is: what a list says beside the product's name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dataops_mesh.ledger.days import Happening
from dataops_mesh.watch.trouble import partition_of
from dataops_mesh.web.view import View


def piece_of(view: View, product: str, candidate: str, known: str = "") -> str:
    """Return the key of the partition; empty for what is whole, or what nobody knows any more.

    Args:
        view: this moment.
        product: whose it is.
        candidate: its ref; empty where there is none.
        known: the key that is on record.
    """
    declared = view.catalogue.products.get(product)
    if known or not candidate or (declared is not None and declared.partitioning is None):
        return known
    return partition_of(view.environment.store, candidate)


def with_pieces(view: View, found: Iterable[Happening]) -> tuple[Happening, ...]:
    """Return what happened, each with its partition."""
    return tuple(
        replace(one, partition=piece_of(view, one.product, one.candidate, one.partition))
        for one in found
    )
