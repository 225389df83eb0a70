"""Where a finding stands: the line of a key, or of the file where the key is absent."""

from __future__ import annotations

from dataops_mesh.errors import Location
from dataops_mesh.spec.model import Contract, Product


def at_product(product: Product, *keys: str | int) -> Location:
    """Return the line of the deepest key that exists in the product's file."""
    return product.document.at(keys) if product.document else product.where


def at_contract(contract: Contract, *keys: str | int) -> Location:
    """Return the line of the deepest key that exists in the contract's file."""
    return contract.document.at(keys) if contract.document else contract.where
