"""The folder that holds everything: candidates, releases, pins, and what is derived from them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.store import files
from dataops_mesh.store.place import MOUNTS, mounted

FORMAT = 2
PRODUCTION = "production"
SANDBOXES = "sandboxes"
MARKER = "store.json"
_FOLDERS = (
    "candidates",
    "captures",
    f"heads/{PRODUCTION}",
    "tree",
    "pins",
    "pending",
    "cache",
    "scratch",
    "removed",
)


@dataclass(frozen=True, slots=True)
class Store:
    """Where the store's parts are; for one host and a local disk.

    Args:
        root: the store's folder.
        line: whose releases these are: `production`, or `sandboxes/<name>~<token>`. Candidates,
            the tree, declarations and pins are shared by all lines.
        restricted: the folder of clear values, where it is known (store/restricted.py).
    """

    root: Path
    line: str = PRODUCTION
    restricted: Path | None = field(default=None, compare=False)

    @property
    def production(self) -> Store:
        """Return the store on the line that consumers read."""
        return self.on(PRODUCTION)

    @property
    def sandbox(self) -> str:
        """Return the name of the sandbox; empty for production."""
        return name_of(self.line)

    @property
    def own(self) -> Path:
        """Return the folder of what belongs to the line alone: ledger, catalog, pending."""
        return self.root if self.line == PRODUCTION else self.root / self.line

    def on(self, line: str) -> Store:
        """Return the store on another line."""
        return Store(self.root, line, self.restricted)

    @property
    def candidates(self) -> Path:
        """Return the folder of `<domain>/<product>/<candidate-id>/`."""
        return self.root / "candidates"

    @property
    def captures(self) -> Path:
        """Return the folder of what was delivered: `<first two>/<digest>`, by content."""
        return self.root / "captures"

    @property
    def releases(self) -> Path:
        """Return the folder of the log: one small file per release."""
        return self.root / "heads" / self.line

    @property
    def tree(self) -> Path:
        """Return the folder of what releases name: `<domain>/<digest>.json`."""
        return self.root / "tree"

    @property
    def pins(self) -> Path:
        """Return the folder in which readers and builds say what they use."""
        return self.root / "pins"

    @property
    def pending(self) -> Path:
        """Return the folder that names the candidates the ledger has not recorded yet."""
        return self.own / "pending"

    @property
    def removed(self) -> Path:
        """Return the folder of removals, and of what is left on record of what they took."""
        return self.root / "removed"

    @property
    def cache(self) -> Path:
        """Return the folder of fingerprints that would be slow to compute again."""
        return self.root / "cache"

    @property
    def fetched(self) -> Path:
        """Return the folder of what was fetched for sources that are elsewhere, by product."""
        return self.cache / "fetched"

    @property
    def scratch(self) -> Path:
        """Return the folder for spilling and for files not yet in place."""
        return self.root / "scratch"

    @property
    def catalogs(self) -> Path:
        """Return the folder of derived DuckDB files of views, one a domain, for any client."""
        return self.own / "catalogs"

    @property
    def ledger_file(self) -> Path:
        """Return the derived SQLite file of the ledger."""
        return self.own / "ledger.sqlite"


def name_of(line: str) -> str:
    """Return the name that people call a line's sandbox by; empty for production.

    >>> name_of("sandboxes/late~1f0c"), name_of("production")
    ('late', '')
    """
    return line.removeprefix(f"{SANDBOXES}/").partition("~")[0] if line != PRODUCTION else ""


def open_store(root: Path, *, create: bool = True, restricted: Path | None = None) -> Store:
    """Return the store in the folder, made there first if it is empty.

    Args:
        root: the store's folder.
        create: make the folder a store if it is missing or empty.
        restricted: the folder of clear values, if there is one.
    """
    store = Store(root.absolute(), restricted=restricted)
    marker = store.root / MARKER
    if not marker.is_file():
        if not create:
            raise StoreError(
                Problem(f"{root} is not a store", next="name the store's folder, or run `mesh run`")
            )
        _require_empty(store.root)
        files.make_folder(store.root)
        files.create(marker, json.dumps({"format": FORMAT}).encode())
    _require_format(store)
    _require_whole(store, writes=create)
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
    if strangers and not (root / MARKER).is_file():
        raise StoreError(
            Problem(
                f"{root} is neither a store nor empty",
                next="name an empty or a new folder for the store",
            )
        )


def _require_whole(store: Store, *, writes: bool) -> None:
    """Make sure that what is in the store is a part of it: who owns half of one is not known."""
    root = store.root.resolve()
    folders = [folder for folder in (root, root / "heads") if folder.is_dir()]
    inner = (Path(one.path) for folder in folders for one in os.scandir(folder) if one.is_symlink())
    found = [f"{one} is a link" for one in inner]
    points = mounted()
    if points is None and writes:
        found.append(f"nobody can tell whether anything is mounted in {root} ({MOUNTS})")
    within = (one for one in points or () if one != root and one.is_relative_to(root))
    found += [f"something is mounted at {one}" for one in within]
    if found:
        then = "name the whole store with the setting `store`, or put the folder itself there"
        raise StoreError(Problem(f"{found[0]}: a store is one folder", next=then))


def format_of(store: Store) -> int:
    """Return the format of a store, as its marker says it.

    Raises:
        StoreError: it is no store.
    """
    marker = store.root / MARKER
    try:
        found = json.loads(files.read(marker))["format"]
    except FileNotFoundError as error:
        what = f"{store.root} is not a store"
        raise StoreError(Problem(what, next="name the store's folder")) from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            Problem(f"{marker} is damaged", next=f'write {{"format": {FORMAT}}} into it')
        ) from error
    return int(found)


def write_format(store: Store) -> None:
    """Say that the store has the format of this version."""
    files.replace(store.root / MARKER, json.dumps({"format": FORMAT}).encode())


def _require_format(store: Store) -> None:
    found = format_of(store)
    if found == 1:
        what = f"{store.root} is a store of format 1, which this version brings to {FORMAT}"
        raise StoreError(Problem(what, next="mesh store upgrade"))
    if found != FORMAT:
        raise StoreError(
            Problem(
                f"{store.root} is a store of format {found}, this version reads {FORMAT}",
                next="use the version of dataops_mesh that wrote it",
            )
        )
