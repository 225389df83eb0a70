"""Where a run happens: the settings, and the store they point at."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dataops_mesh.settings import Settings
from dataops_mesh.store.line.known import find
from dataops_mesh.store.store import PRODUCTION, SANDBOXES, Store, open_store


@dataclass(frozen=True, slots=True)
class Environment:
    """A store and the settings it was opened with.

    Args:
        said: the settings as a person wrote them, where the clock has been stopped in ours.
    """

    store: Store
    settings: Settings
    said: Settings | None = None

    @property
    def threads(self) -> int:
        """Return how many threads DuckDB may use."""
        return self.settings.threads or os.cpu_count() or 1

    @property
    def ledger_url(self) -> str:
        """Return the ledger's SQLAlchemy URL; by default a file of the store."""
        own = f"sqlite:///{self.store.ledger_file}"  # what is tried is on nobody else's record
        return own if self.store.sandbox else self.settings.ledger or own

    @property
    def stopped(self) -> Environment:
        """Return the environment with its clock stopped: all of a build has one moment."""
        settings = self.settings.model_copy(update={"now": self.settings.clock()})
        return Environment(self.store, settings, self.said or self.settings)

    @property
    def production(self) -> Environment:
        """Return the environment of the line that consumers read."""
        settings = self.settings.model_copy(update={"sandbox": ""})
        return Environment(self.store.production, settings)


def open_environment(settings: Settings) -> Environment:
    """Open the store that the settings name, made there if it does not exist.

    Raises:
        StoreError: the folder is not a store, or cannot be written.
    """
    return Environment(store_of(settings), settings)


def store_of(settings: Settings, *, create: bool = True) -> Store:
    """Open the store that the settings name, on the line that they name.

    Raises:
        StoreError: the folder is not a store.
        UnknownNameError: there is no such sandbox: then nothing is opened, least of all production.
    """
    store = open_store(settings.store_folder, create=create, restricted=settings.restricted_folder)
    return find(store, settings.sandbox) if settings.sandbox else store


def on_line(settings: Settings, line: str) -> Settings:
    """Return the settings for one line, by its whole name."""
    sandbox = "" if line == PRODUCTION else line.removeprefix(f"{SANDBOXES}/")
    return settings.model_copy(update={"sandbox": sandbox})
