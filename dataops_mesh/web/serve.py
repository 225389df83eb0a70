"""One process that answers: on a port of this machine, or on a UNIX socket."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.errors import StoreError
from dataops_mesh.ledger import Ledger, open_ledger
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.settings import Settings
from dataops_mesh.web.app import app_of
from dataops_mesh.web.catalogue import Catalogue
from dataops_mesh.web.kept import Load, keep
from dataops_mesh.web.links import served
from dataops_mesh.web.pages import PAGES, html_of
from dataops_mesh.web.view import Memory, View, look

_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_PATIENCE = 1.0  # seconds: a page waits for nobody who writes, unless something is not on record


@dataclass(frozen=True, slots=True)
class Where:
    """Where it listens.

    Args:
        socket: a UNIX socket, in the place of host and port.
        names: more names under which people reach it, through a proxy.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    socket: Path | None = None
    names: tuple[str, ...] = ()


def hosts_of(where: Where) -> tuple[str, ...]:
    """Return the names under which it answers: on this machine alone, its own.

    >>> hosts_of(Where()), hosts_of(Where(host="0.0.0.0"))
    (('localhost', '127.0.0.1', '[::1]'), ('*',))
    """
    if where.names:
        return (*_LOCAL, *where.names)
    return _LOCAL if where.socket is None and is_local(where.host) else ("*",)


def serve(settings: Settings, load: Load, where: Where) -> None:
    """Answer until somebody ends the process.

    Args:
        settings: of the workspace.
        load: reads what can be read of the declarations.
        where: where to listen.
    """
    import uvicorn

    kept = keep(settings, load)
    looking = looker(open_environment(settings), lambda: kept.catalogue)
    app = app_of(settings.root.name, looking, hosts_of(where))
    with looking() as view:  # the first to look does not wait for what is imported once
        html_of(PAGES[0], PAGES[0].facts(view, {}), view, served)
    config = uvicorn.Config(
        app,
        host=where.host,
        port=where.port,
        uds=str(where.socket) if where.socket else None,
        log_level="warning",
        server_header=False,
    )
    try:
        uvicorn.Server(config).run()
    finally:
        kept.end()


def looker(
    environment: Environment, catalogue: Callable[[], Catalogue], *, seconds: float = 5.0
) -> Callable[[], AbstractContextManager[View]]:
    """Return what opens the newest moment; the ledger's connections are kept between two looks.

    Args:
        environment: the store and the settings.
        catalogue: returns the newest declarations.
        seconds: for how long it remembers how all products stand.
    """
    memory = Memory(seconds)
    opened: dict[tuple[int, int], Ledger] = {}

    @contextmanager
    def looking() -> Iterator[View]:
        with suppress(FileNotFoundError):  # a ledger may be put back from a backup meanwhile
            seen = environment.store.ledger_file.stat()
            if (seen.st_dev, seen.st_ino) not in opened:
                opened.clear()
        ledger = next(iter(opened.values()), None)
        if ledger is None:
            ledger = open_ledger(environment.ledger_url, patience=_PATIENCE)
            found = environment.store.ledger_file
            place = found.stat() if found.exists() else None
            opened[(place.st_dev, place.st_ino) if place else (0, 0)] = ledger
        try:
            yield look(environment, catalogue(), ledger, memory)
        except StoreError:  # maybe its connection is the fault: the next look has another one
            opened.clear()
            ledger.close()
            raise

    return looking


def is_local(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
