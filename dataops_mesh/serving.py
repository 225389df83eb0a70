"""What consumers get: a read-only connection to one release of the published data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataops_mesh.disk import disk_problem
from dataops_mesh.engine.read import Connection
from dataops_mesh.engine.read import connect as connect_store
from dataops_mesh.errors import StoreError
from dataops_mesh.settings import Settings, load_settings


def connect(
    workspace: str | Path | None = None,
    *,
    store: str | Path | None = None,
    release: int | None = None,
    sandbox: str = "",
) -> Connection:
    """Open published data for reading; every `<domain>.<port>` is a view.

    The connection shows one release, whatever is published meanwhile, until it is closed.

    Args:
        workspace: a folder inside the workspace; the working folder if absent.
        store: the store's folder, for readers that have no workspace.
        release: a release number; the latest if absent.
        sandbox: what a sandbox shows, by its name; DATAOPS_MESH_SANDBOX says it too.

    Raises:
        StoreError: there is no store, or it cannot be read.
        UnknownNameError: there is no such sandbox.
        SettingsError: no workspace was found and no store was given.
    """
    if store is not None:
        return _open(Path(store), release, sandbox=sandbox)
    settings = load_settings(Path(workspace) if workspace else None)
    if sandbox:
        settings = settings.model_copy(update={"sandbox": sandbox})
    return open_connection(settings, release)


def open_connection(settings: Settings, release: int | None = None) -> Connection:
    """Open the store that the settings name.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    limit, sandbox = settings.memory_limit, settings.sandbox
    return _open(settings.store_folder, release, memory_limit=limit, sandbox=sandbox)


def _open(store: Path, release: int | None, **options: Any) -> Connection:
    try:
        return connect_store(store, release, **options)
    except PermissionError as error:
        raise StoreError(disk_problem(error)) from None
