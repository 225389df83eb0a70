"""The folder that holds everything: candidates, releases, pins, and what is derived from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.store import files

FORMAT = 1
_MARKER = "store.json"
_FOLDERS = ("candidates", "releases", "retained", "pins", "pending", "cache", "scratch", "removed")


@dataclass(frozen=True, slots=True)
class Store:
    """Where the store's parts are; for one host and a local disk."""

    root: Path

    @property
    def candidates(self) -> Path:
        """Return the folder of `<domain>/<product>/<candidate-id>/`."""
        return self.root / "candidates"

    @property
    def releases(self) -> Path:
        """Return the folder of the log: one small file per release."""
        return self.root / "releases"

    @property
    def retained(self) -> Path:
        """Return the folder of what is left of older releases, for rolling back."""
        return self.root / "retained"

    @property
    def pins(self) -> Path:
        """Return the folder in which readers and builds say what they use."""
        return self.root / "pins"

    @property
    def pending(self) -> Path:
        """Return the folder that names the candidates the ledger has not recorded yet."""
        return self.root / "pending"

    @property
    def removed(self) -> Path:
        """Return the folder of removals, and of what is left on record of what they took."""
        return self.root / "removed"

    @property
    def cache(self) -> Path:
        """Return the folder of fingerprints that would be slow to compute again."""
        return self.root / "cache"

    @property
    def scratch(self) -> Path:
        """Return the folder for spilling and for files not yet in place."""
        return self.root / "scratch"

    @property
    def catalog_file(self) -> Path:
        """Return the derived DuckDB file of views, for any DuckDB client."""
        return self.root / "catalog.duckdb"

    @property
    def ledger_file(self) -> Path:
        """Return the derived SQLite file of the ledger."""
        return self.root / "ledger.sqlite"


def open_store(root: Path, *, create: bool = True) -> Store:
    """Return the store in the folder, made there first if it is empty.

    Args:
        root: the store's folder.
        create: make the folder a store if it is missing or empty.
    """
    store = Store(root.absolute())
    marker = store.root / _MARKER
    if not marker.is_file():
        if not create:
            raise StoreError(
                Problem(f"{root} is not a store", next="name the store's folder, or run `mesh run`")
            )
        _require_empty(store.root)
        files.make_folder(store.root)
        files.create(marker, json.dumps({"format": FORMAT}).encode())
    _require_format(marker)
    if create:
        for name in _FOLDERS:
            files.make_folder(store.root / name)
    return store


def _require_empty(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise StoreError(Problem(f"{root} is a file", next="name a folder for the store"))
    strangers = root.is_dir() and [
        path
        for path in root.iterdir()
        # A check before the first run may have left what it parsed.
        if not path.name.startswith(files.TEMPORARY) and path != root / "cache"
    ]
    # Somebody who creates the store at this moment has written its marker before all else.
    if strangers and not (root / _MARKER).is_file():
        raise StoreError(
            Problem(
                f"{root} is neither a store nor empty",
                next="name an empty or a new folder for the store",
            )
        )


def _require_format(marker: Path) -> None:
    try:
        found = json.loads(marker.read_bytes())["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            Problem(f"{marker} is damaged", next=f'write {{"format": {FORMAT}}} into it')
        ) from error
    if found != FORMAT:
        raise StoreError(
            Problem(
                f"{marker.parent} is a store of format {found}, this version reads {FORMAT}",
                next="use the version of dataops_mesh that wrote it",
            )
        )
