"""What a sensor asks before it looks: can anything have changed since it last did?

The answer is a digest of all that a look depends on but the clock: the newest release, what is on
record and what waits for it, settings, deliveries, approvals, the declarations themselves. It is
computed without reading any of that.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from dataops_mesh.engine.source import marks
from dataops_mesh.errors import MeshError
from dataops_mesh.fetch.fetch import EVERY
from dataops_mesh.ledger.mark import Mark, mark_of, state_of
from dataops_mesh.plan.approval import FOLDER
from dataops_mesh.run.environment import Environment, store_of
from dataops_mesh.run.identity import library_version
from dataops_mesh.settings import PREFIX, Settings, load_settings
from dataops_mesh.spec.loader import Broken
from dataops_mesh.spec.model import PARTITION_KEY, Product, Source
from dataops_mesh.store.manifest import pending_refs
from dataops_mesh.store.release import latest_number

FORMAT = 1
_GLOB = frozenset("*?[")


class UnknownError(Exception):
    """Nobody can say cheaply whether anything has changed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What decides how a look at products ends.

    Args:
        root: the workspace.
        folder: the domain's folder; approvals lie in it.
        products: what is looked at.
        about: a digest of these as they were loaded.
        deliveries: files of partitions count too.
    """

    root: Path
    folder: Path
    products: tuple[Product, ...]
    about: str
    deliveries: bool = False

    def answer(self, *more: object) -> str:
        """Return a digest that is another one after every change.

        Args:
            more: what else the look depends on.

        Raises:
            UnknownError: nobody can say; so look.
        """
        try:
            return _digest((self.about, *self._state(), *more))
        except (MeshError, OSError, ValueError) as error:
            raise UnknownError(str(error)) from error

    def _state(self) -> Iterator[object]:
        pyproject = state_of(self.root / "pyproject.toml")
        settings = _settings(self.root, pyproject, tuple(_environment()))
        environment = Environment(store_of(settings, create=False), settings)
        yield pyproject
        yield latest_number(environment.store)
        yield pending_refs(environment.store)
        names = [product.qualified_name for product in self.products]
        yield mark_of(environment.ledger_url, names)
        if settings.alerts_file is not None:
            yield state_of(self.root / settings.alerts_file)
        yield _approvals(self.folder)
        for product in self.products if self.deliveries else ():
            for port in product.inputs:
                if port.remote is not None:
                    yield time.time() // (port.remote.every or EVERY)
                elif port.source is not None and port.source.is_cut:
                    yield _delivered(product, port.source)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a sensor keeps of its last look.

    Args:
        mark: the answer before it.
        again: whether the next tick looks again, whatever the answer is then.
        at: when it was.
        until: when the clock alone may change what it finds.
        said: what it said.
    """

    mark: str
    again: bool
    at: float
    until: float
    said: str = ""

    @classmethod
    def read(cls, cursor: str | None) -> Looked | None:
        """Return what a cursor says; None for one of another version, or none of ours."""
        try:
            found = json.loads(cursor or "")
            if found.pop("format") == FORMAT and found.keys() == {f.name for f in fields(cls)}:
                return cls(**found)
        except (ValueError, AttributeError, KeyError, TypeError):
            pass
        return None

    def text(self) -> str:
        """Return the cursor."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    def holds(self, mark: str, now: datetime) -> bool:
        """Tell whether another look would find the same."""
        same = isinstance(self.mark, str) and bool(mark) and mark == self.mark
        return same and self.again is False and self.at <= now.timestamp() < self.until


def looked(  # noqa: PLR0913 - keywords, each a fact of the look
    before: Looked | None,
    mark: str,
    *,
    at: datetime,
    until: datetime,
    calm: bool,
    said: str = "",
) -> Looked:
    """Return what to keep of a look; after a change the next tick looks again.

    What was written in the very moment of the look, and did not change the mark, is seen then.

    Args:
        before: what was kept of the look before.
        mark: the answer before this look; empty where nobody could say.
        at: when it began.
        until: when the clock alone may change what it finds.
        calm: nothing is left to be done at the next tick.
        said: what it said.
    """
    again = not (calm and mark and before is not None and before.mark == mark)
    return Looked(mark, again, at.timestamp(), until.timestamp(), said)


def about(products: Iterable[Product], faults: Broken) -> str:
    """Return a digest of products as they were loaded, and of what could not be."""
    known = sorted((product.qualified_name, product.fingerprint) for product in products)
    wrong = sorted((name, tuple(map(str, found))) for name, found in faults.items())
    return _digest((library_version(), known, wrong))


def now() -> datetime:
    """Return the time by which a sensor waits: always the real one."""
    return datetime.now(UTC)


def _environment() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in sorted(os.environ.items()) if name.startswith(PREFIX))


@lru_cache(maxsize=4)
def _settings(root: Path, pyproject: Mark, environment: tuple[tuple[str, str], ...]) -> Settings:
    """Return the settings, read again whenever what they are made of has changed."""
    del pyproject, environment
    return load_settings(root)


def _approvals(folder: Path) -> list[Mark]:
    found = []
    for place in sorted(folder.iterdir()):
        with suppress(FileNotFoundError, NotADirectoryError):
            files = sorted((place / FOLDER).iterdir())
            found += [(str(file), *state_of(file)) for file in files]
    return found


def _delivered(product: Product, source: Source) -> tuple[Mark, ...]:
    """Return the states of all files that can be a partition's."""
    if source.package or not _GLOB.isdisjoint(source.path):
        raise UnknownError("nobody can say cheaply which files these are")
    cut = product.partitioning
    if cut is not None and cut.cadence is None:
        named = (source.path.replace(PARTITION_KEY, value) for value in cut.values)
        found = [product.folder / name for name in named]
    else:
        parts = Path(source.path.replace(PARTITION_KEY, "*")).parts
        first = next(n for n, part in enumerate(parts) if "*" in part)
        found = list((product.folder / Path(*parts[:first])).glob(str(Path(*parts[first:]))))
    return marks(sorted(file for file in found if file.is_file())).files


def _digest(what: object) -> str:
    return hashlib.sha256(repr(what).encode("utf-8", "surrogatepass")).hexdigest()[:32]
