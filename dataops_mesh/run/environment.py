"""Where a run happens: the settings, and the store they point at."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dataops_mesh.settings import Settings
from dataops_mesh.store.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Environment:
    """A store and the settings it was opened with."""

    store: Store
    settings: Settings

    @property
    def threads(self) -> int:
        """Return how many threads DuckDB may use."""
        return self.settings.threads or os.cpu_count() or 1

    @property
    def ledger_url(self) -> str:
        """Return the ledger's SQLAlchemy URL; by default a file of the store."""
        return self.settings.ledger or f"sqlite:///{self.store.ledger_file}"


def open_environment(settings: Settings) -> Environment:
    """Open the store that the settings name, made there if it does not exist.

    Raises:
        StoreError: the folder is not a store, or cannot be written.
    """
    return Environment(open_store(settings.store_folder), settings)
