"""`mesh serve` and `mesh report docs`: the mesh's pages, from a server or as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataops_mesh.cli.output import INTERRUPTED, say
from dataops_mesh.cli.workspace import load_workspace, open_readable, say_unreadable
from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.run.environment import open_environment
from dataops_mesh.settings import load_settings


def start_pages(host: str, port: int, socket: Path | None, names: Sequence[str]) -> int:
    """Serve the pages until somebody ends it."""
    from dataops_mesh.web.serve import Where, is_local, serve

    settings = load_settings()
    where = Where(host, port, socket, tuple(names))
    place = f"the socket {socket}" if socket else f"http://{host}:{port}"
    if socket is None and not is_local(host):
        say("note: whoever reaches this address may look; a proxy can ask who it is")
    say(f"{settings.root.name}: {place} (Ctrl-C ends it)")
    try:
        serve(settings, load_workspace, where)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit:  # how uvicorn says that it could not listen; the reason is on the screen
        what = f"nothing can listen at {place}"
        raise SettingsError(Problem(what, next="mesh serve --port N")) from None
    return 0


def write_files(folder: Path) -> int:
    """Write the pages into a folder."""
    from dataops_mesh.web.catalogue import catalogue_of
    from dataops_mesh.web.static import write_pages

    settings, mesh = open_readable()
    say_unreadable(mesh)
    count = write_pages(open_environment(settings), catalogue_of(mesh, settings), folder)
    say(f"{folder}: {count} pages; open {folder / 'index.html'}")
    return 0
