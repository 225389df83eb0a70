"""What building a publication again has shown."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.spec.model import Address


@dataclass(frozen=True, slots=True)
class PortCompared:
    """One port, as it was published and as it was built again.

    Args:
        rows: that were published.
        again: that were built.
        identical: the same rows came of it.
        added: rows that only the new build has.
        removed: rows that only the publication has.
        changed: rows of one key that differ; None where the port has no key.
        schema: what differs in the columns, one sentence each.
    """

    address: Address
    rows: int
    again: int
    identical: bool
    added: int = 0
    removed: int = 0
    changed: int | None = None
    schema: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One candidate of a publication, built again or not.

    Args:
        code: by which code it was built again.
        ports: how they compare; empty if it could not be built.
        gone: what of that which it was built from is not there any more, one sentence each.
    """

    product: str
    publication: int
    candidate: str
    partition: str = ""
    code: str = ""
    ports: tuple[PortCompared, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Tell whether it was built, and the very same rows came of it."""
        return bool(self.ports) and not self.gone and all(port.identical for port in self.ports)
