"""One process that answers: on a port of this machine, or on a UNIX socket."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.run.environment import open_environment
from dataops_mesh.settings import Settings
from dataops_mesh.web.app import app_of
from dataops_mesh.web.kept import Load, keep

_LOCAL = ("localhost", "127.0.0.1", "[::1]")


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

    environment = open_environment(settings)
    kept = keep(settings, load)
    app = app_of(lambda: (environment, kept.catalogue), hosts_of(where))
    place = {"uds": str(where.socket)} if where.socket else {"host": where.host, "port": where.port}
    try:
        uvicorn.run(app, log_level="warning", server_header=False, **place)  # type: ignore[arg-type] # one of two
    finally:
        kept.end()


def is_local(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
