"""What a product can be rolled back to, whatever others published in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Retention:
    """How many publications stay readable; of a partitioned product, of each partition.

    Args:
        publications: of a product that says nothing; the one that consumers read is one of them.
        products: what declared products say, by qualified name; it wins over what they said
            when they were published last.
    """

    publications: int = 1
    products: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, product: str, said: int) -> int:
        """Return the number for a product.

        Args:
            product: its qualified name.
            said: what it said when it was published last; 0 if nothing.
        """
        return max(self.products.get(product) or said or self.publications, 1)
