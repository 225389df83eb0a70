"""A text that YAML cut at a comma: `{purpose: Who, and why.}` has a key `and why.`.

It is told and refuses nothing: what is published may say so, and stays readable.
"""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.read.node import Node


def cut_descriptions(product: Product) -> Iterator[Problem]:
    """Yield a problem for each text of a contract's description that is not whole."""
    for port in product.outputs:
        document = port.contract.document
        found = Node(document, document.data).child("description") if document else None
        if found is None or not isinstance(found.value, dict):
            continue
        for key, value in found.value.items():
            child = found.child(key)
            if child is not None and value is None and " " in str(key):
                what = "is no key: the text before it ends at the comma"
                yield child.problem(what, then="write the whole text in quotes")
