"""How a column is shown to consumers: what its mask makes of each value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from dataops_mesh.spec.rule import Scalar

_COARSE = frozenset({"week", "month", "quarter", "year", "decade"})
_TENS = 10


class MaskKind(StrEnum):
    """What a mask does; a null stays null under each of them."""

    CONSTANT = "constant"
    PARTIAL = "partial"
    BUCKET = "bucket"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask of one column (our custom property `masking`).

    Args:
        constant: what every value becomes; None makes nulls of them.
        first: of a partial mask, how many characters stay at the beginning.
        last: of a partial mask, how many stay at the end.
        bucket: the width of a bucket of numbers, or the unit of time of one of dates.
        secret: the name of the key of a hash; the gate alone knows the key.
    """

    kind: MaskKind
    constant: Scalar | None = None
    first: int = 0
    last: int = 0
    bucket: Scalar = ""
    secret: str = ""

    @property
    def keeps_apart(self) -> bool:
        """Tell whether two values stay two: joins still work, and a key is still a key."""
        return self.kind is MaskKind.HASH

    @property
    def makes_nulls(self) -> bool:
        """Tell whether nothing is left of any value."""
        return self.kind is MaskKind.CONSTANT and self.constant is None

    @property
    def breaks(self) -> bool:
        """Tell whether nobody can tell a value from what the mask makes of it.

        A part of a value is a part of it, and a bucket of a day or of two numbers nearly all of it.

        >>> [Mask(MaskKind.BUCKET, bucket=one).breaks for one in ("day", "week", 2, 10)]
        [False, True, False, True]
        """
        if self.kind is MaskKind.BUCKET:
            unit = isinstance(self.bucket, str)
            return self.bucket in _COARSE if unit else Decimal(str(self.bucket)) >= _TENS
        return self.kind is not MaskKind.PARTIAL
