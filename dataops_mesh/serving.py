"""What consumers get: a read-only connection to one release of the published data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.disk import disk_problem
from dataops_mesh.engine.read import Connection
from dataops_mesh.engine.read import connect as connect_store
from dataops_mesh.errors import Problem, SettingsError, StoreError
from dataops_mesh.settings import Settings, load_settings

if TYPE_CHECKING:
    from dataops_mesh.engine.whole import Opened
    from dataops_mesh.store.log import Release
    from dataops_mesh.store.store import Store


def connect(
    workspace: str | Path | None = None,
    *,
    store: str | Path | None = None,
    release: int | None = None,
    sandbox: str = "",
    role: str = "",
) -> Connection:
    """Open published data for reading; every `<domain>.<port>` is a view.

    Columns that are masked are masked here, but those that a role reads as they are. The
    connection shows one release, whatever is published meanwhile, until it is closed.

    Args:
        workspace: a folder inside the workspace; the working folder if absent.
        store: the store's folder, for readers that have no workspace.
        release: a release number; the latest if absent.
        sandbox: what a sandbox shows, by its name; DATAOPS_MESH_SANDBOX says it too.
        role: of contracts of which the person is a member: its columns are unmasked. It needs a
            workspace, whose settings say where clear values are, and the right to read them.

    Raises:
        StoreError: there is no store, it cannot be read, or not by this role.
        UnknownNameError: there is no such sandbox, or no such role.
        SettingsError: no workspace was found and no store was given.
    """
    if store is not None and role:
        what = "a role reads what the setting `restricted` says, and a store has no settings"
        raise SettingsError(Problem(what, key="role", next="name the workspace, not the store"))
    if store is not None:
        return _open(Path(store), release, sandbox=sandbox)
    settings = load_settings(Path(workspace) if workspace else None)
    if sandbox:
        settings = settings.model_copy(update={"sandbox": sandbox})
    return open_connection(settings, release, role)


def open_connection(settings: Settings, release: int | None = None, role: str = "") -> Connection:
    """Open the store that the settings name, by a role if one is named.

    Raises:
        StoreError: there is no store, it cannot be read, or not by this role.
        UnknownNameError: there is no such role.
    """
    limit, sandbox = settings.memory_limit, settings.sandbox
    options: dict[str, Any] = {"memory_limit": limit, "sandbox": sandbox}
    if role:
        options |= {"restricted": settings.restricted_folder, "opened": _opened(settings, role)}
    return _open(settings.store_folder, release, **options)


def _opened(settings: Settings, role: str) -> Callable[[Store, Release], Opened]:
    """Return what tells the columns that are opened, once it is on record who reads them.

    What is read in a sandbox is on production's record: a sandbox ends, and its record with it.
    """
    from dataops_mesh.run.account import READ_UNMASKED, record_operation
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.run.guards.roles import opened_to_person
    from dataops_mesh.run.identity import person_or_user

    def opened(store: Store, release: Release) -> Opened:
        found = opened_to_person(store, release, role, person_or_user(settings.person))
        columns = {str(address): list(names) for address, names in found.items()}
        record_operation(
            Environment(store, settings).production,
            READ_UNMASKED,
            columns,
            role=role,
            columns=columns,
            read=release.number,
            **({"sandbox": settings.sandbox} if settings.sandbox else {}),
        )
        return found

    return opened


def _open(store: Path, release: int | None, **options: Any) -> Connection:
    try:
        return connect_store(store, release, **options)
    except PermissionError as error:
        raise StoreError(disk_problem(error)) from None
