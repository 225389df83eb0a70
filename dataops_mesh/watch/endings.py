"""Troubles of what was taken away, or should be: of who reads it, and of who still offers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dataops_mesh.ledger.trouble.incidents import Trouble
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.word.ends import END_OF_LIFE
from dataops_mesh.run.word.held import gone_inputs
from dataops_mesh.run.word.overdue import ended_inputs, overdue
from dataops_mesh.spec.model import Product
from dataops_mesh.store.log import Release
from dataops_mesh.store.removing.withdrawal import withdrawal_of, withdrawn_words

WITHDRAWN, ENDED = "withdrawn", "ended"
_ACTIVE = frozenset({"active", "deprecated"})


def endings(
    products: Sequence[Product], environment: Environment, release: Release
) -> Iterator[Trouble]:
    """Yield what readers have lost, and what has ended and is still read: told to both owners."""
    for product in products:
        if product.status in _ACTIVE:
            yield from _of_reader(product, environment, release)
    for one in overdue(products, environment, release):
        then = f"mesh withdraw {one.product} --due"
        what = f"{one.words}, and {one.stopped}; when they do not need it any more: {then}"
        yield Trouble(one.product, ENDED, "", what)


def _of_reader(product: Product, environment: Environment, release: Release) -> Iterator[Trouble]:
    name = product.qualified_name
    for port in product.inputs if gone_inputs(product, release) else ():
        gone = withdrawal_of(release, port.address) if port.address is not None else None
        if gone is not None:
            what = f"it reads {port.name}, which {withdrawn_words(gone)}"
            then = "its consumers read its last publication, and it is not built any more"
            yield Trouble(name, WITHDRAWN, str(port.address), f"{what}; {then}")
    for address, day in ended_inputs(product, environment, release).items():
        what = f"it reads {address}, which is past its {END_OF_LIFE}, {day:%Y-%m-%d}"
        yield Trouble(name, ENDED, str(address), f"{what}, and would be withdrawn but for that")
