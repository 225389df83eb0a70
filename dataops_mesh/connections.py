"""What a connection's name stands for: an address with its password, which only the gate is given.

It stands in a variable `MESH_CONNECTION_<NAME>` or in a file of the folder `connections`, and
never in a declaration, a message or a record.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from dataops_mesh.errors import Location, Problem
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product

PREFIX = "MESH_CONNECTION_"
_USERS = "_for"  # after a connection's name: whose products may name it


@dataclass(frozen=True, slots=True)
class Connections:
    """Where this process finds connections.

    Args:
        folder: with a file for each; None for the environment.
        root: the workspace, from which a SQLite file may be named.
    """

    folder: Path | None
    root: Path

    @classmethod
    def of(cls, settings: Settings) -> Connections:
        """Return where the settings say that connections are."""
        folder = settings.root / settings.connections if settings.connections else None
        return cls(folder, settings.root)

    def find(self, name: str, product: Product, where: Location | None) -> str | Problem:
        """Return the address of a connection, or why a product has none of this name.

        Args:
            name: of the connection.
            product: who names it.
            where: in which declaration.
        """
        variable = PREFIX + name.upper()
        try:
            found, users = self._said(name), self._said(f"{name}{_USERS}")
        except (OSError, UnicodeDecodeError):  # nobody can tell what it says, or whose it is
            what = f'the files of the connection "{name}" cannot be read'
            then = f"write {name} and {name}{_USERS} in UTF-8 into {self.folder}"
            return Problem(what, where, "connection", next=then)
        if found is None:
            what = f'the gate does not know the connection "{name}"'
            then = f"set {variable} where the gate runs"
            if self.folder:
                then = f"write its URL into {self.folder / name}"
            return Problem(what, where, "connection", next=then)
        if users is not None and not {product.domain, product.qualified_name} & _words(users):
            what = f'the connection "{name}" is not for {product.domain}'
            then = f"who keeps it says whose it is, in {variable}_FOR or the file {name}{_USERS}"
            return Problem(what, where, "connection", next=then)
        return found

    def is_reserved(self, name: str) -> bool:
        """Tell whether a connection is said to be for some products alone, or nobody can say."""
        try:
            return bool(name) and self._said(f"{name}{_USERS}") is not None
        except (OSError, UnicodeDecodeError):
            return True

    def _said(self, name: str) -> str | None:
        if self.folder is None:
            found = os.environ.get(PREFIX + name.upper())
            return found.strip() if found is not None else None
        try:
            return (self.folder / name).read_text("utf-8").strip()
        except FileNotFoundError:
            return None


def parts_of(address: str) -> SplitResult | None:
    """Return the parts of an address; None if it is none.

    >>> parts_of("https://[broken") is None
    True
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme else None


def _words(users: str) -> set[str]:
    return set(users.replace(",", " ").split())
